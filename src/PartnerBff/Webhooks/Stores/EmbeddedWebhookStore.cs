using Bff.Audit;

namespace PartnerBff.Webhooks.Stores;

/// <summary>Keeps endpoints and deliveries in the memory of a single process.</summary>
internal sealed class EmbeddedWebhookStore(IAuditLog? log = null) : IWebhookStore
{
    private const int Listed = 10_000;
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Owner, string Id), WebhookEndpoint> _endpoints = [];
    private readonly Dictionary<string, WebhookDelivery> _deliveries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _listed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, DateTimeOffset>> _due = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _failing = new(StringComparer.Ordinal);

    public Task<IReadOnlyList<string>> Owners(CancellationToken cancellation) =>
        Locked<IReadOnlyList<string>>(() => [.. _endpoints.Keys.Select(k => k.Owner).Distinct()]);

    public Task<IReadOnlyList<WebhookEndpoint>> List(string owner, CancellationToken cancellation) =>
        Locked<IReadOnlyList<WebhookEndpoint>>(() =>
            [.. _endpoints.Values.Where(e => e.Owner == owner).OrderBy(e => e.CreatedAt).ThenBy(e => e.Id, StringComparer.Ordinal)]
        );

    public Task<WebhookEndpoint?> Find(string owner, string id, CancellationToken cancellation) =>
        Locked(() => _endpoints.GetValueOrDefault((owner, id)));

    public async Task Add(WebhookEndpoint endpoint, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null)
    {
        await Locked(() => _endpoints[(endpoint.Owner, endpoint.Id)] = endpoint);
        await log.Note(audit, cancellation);
    }

    public async Task<WebhookEndpoint?> Change(
        string owner,
        string id,
        Func<WebhookEndpoint, WebhookEndpoint> change,
        CancellationToken cancellation,
        EndpointAudit? audit = null
    )
    {
        WebhookEndpoint? before = null;
        var after = await Locked(() => _endpoints.TryGetValue((owner, id), out before) ? _endpoints[(owner, id)] = change(before) : null);
        await log.Note(after is null ? null : audit?.Invoke(before!, after), cancellation);
        return after;
    }

    public async Task<bool> Delete(string owner, string id, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null)
    {
        var isDeleted = await Locked(() => Delete(owner, id));
        await log.Note(isDeleted ? audit : null, cancellation);
        return isDeleted;
    }

    private bool Delete(string owner, string id)
    {
        if (!_endpoints.Remove((owner, id)))
        {
            return false;
        }

        foreach (var delivery in Of(_listed, id).Concat(Of(_due, id).Keys))
        {
            _deliveries.Remove(delivery);
        }

        _due.Remove(id);
        _listed.Remove(id);
        _failing.Remove(id);
        return true;
    }

    public Task Begin(IReadOnlyCollection<WebhookDelivery> deliveries, DateTimeOffset now, CancellationToken cancellation) =>
        Locked(() =>
        {
            foreach (var delivery in deliveries)
            {
                if (_endpoints.ContainsKey((delivery.Owner, delivery.EndpointId)) && _deliveries.TryAdd(delivery.Id, delivery))
                {
                    var listed = Of(_listed, delivery.EndpointId);
                    listed.Add(delivery.Id);
                    if (listed.Count > Listed)
                    {
                        if (!Of(_due, delivery.EndpointId).ContainsKey(listed[0]))
                        {
                            _deliveries.Remove(listed[0]);
                        }

                        listed.RemoveAt(0);
                    }

                    Of(_due, delivery.EndpointId)[delivery.Id] = now;
                }
            }

            return true;
        });

    public Task<IReadOnlyList<string>> Due(DateTimeOffset now, int count, CancellationToken cancellation) =>
        Locked<IReadOnlyList<string>>(() =>
            [
                .. _due.Where(d => d.Value.Count > 0)
                    .Select(d => (d.Key, First: d.Value.Values.Min()))
                    .Where(d => d.First <= now)
                    .OrderBy(d => d.First)
                    .Take(count)
                    .Select(d => d.Key),
            ]
        );

    public Task<IReadOnlyList<WebhookDelivery>> Claim(
        string endpointId,
        DateTimeOffset now,
        TimeSpan lease,
        int count,
        CancellationToken cancellation
    ) =>
        Locked<IReadOnlyList<WebhookDelivery>>(() =>
        {
            var due = Of(_due, endpointId);
            var ids = due.Where(d => d.Value <= now).OrderBy(d => d.Value).Take(count).Select(d => d.Key).ToList();
            ids.ForEach(id => due[id] = now + lease);
            return [.. ids.Select(id => _deliveries[id] with { HeldUntil = now + lease })];
        });

    public Task<DateTimeOffset?> Note(WebhookDelivery delivery, bool? succeeded, DateTimeOffset now, CancellationToken cancellation) =>
        Locked(() =>
        {
            if (delivery.HeldUntil is null || DueAt(delivery) != delivery.HeldUntil)
            {
                return null;
            }

            _deliveries[delivery.Id] = delivery;
            if (delivery.NextAttemptAt is { } next)
            {
                Of(_due, delivery.EndpointId)[delivery.Id] = next;
            }
            else
            {
                Of(_due, delivery.EndpointId).Remove(delivery.Id);
            }

            if (succeeded == true)
            {
                _failing.Remove(delivery.EndpointId);
            }
            else if (succeeded == false)
            {
                _failing.TryAdd(delivery.EndpointId, now);
            }

            return _failing.TryGetValue(delivery.EndpointId, out var since) ? since : (DateTimeOffset?)null;
        });

    public Task<bool> Reopen(WebhookDelivery delivery, DateTimeOffset? due, CancellationToken cancellation) =>
        Locked(() =>
        {
            if (!_endpoints.ContainsKey((delivery.Owner, delivery.EndpointId)) || DueAt(delivery) != due)
            {
                return false;
            }

            _deliveries[delivery.Id] = delivery;
            Of(_due, delivery.EndpointId)[delivery.Id] = delivery.NextAttemptAt!.Value;
            return true;
        });

    public Task<WebhookDelivery?> FindDelivery(string id, CancellationToken cancellation) =>
        Locked(() => _deliveries.GetValueOrDefault(id));

    public Task<IReadOnlyList<WebhookDelivery>> Deliveries(string endpointId, int skip, int count, CancellationToken cancellation) =>
        Locked<IReadOnlyList<WebhookDelivery>>(() =>
            [.. (_listed.GetValueOrDefault(endpointId) ?? []).AsEnumerable().Reverse().Skip(skip).Take(count).Select(id => _deliveries[id])]
        );

    private DateTimeOffset? DueAt(WebhookDelivery delivery) =>
        _due.TryGetValue(delivery.EndpointId, out var due) && due.TryGetValue(delivery.Id, out var at) ? at : null;

    private static TItem Of<TItem>(Dictionary<string, TItem> of, string id)
        where TItem : new()
    {
        if (!of.TryGetValue(id, out var item))
        {
            of[id] = item = new();
        }

        return item;
    }

    private Task<T> Locked<T>(Func<T> step)
    {
        lock (_lock)
        {
            return Task.FromResult(step());
        }
    }
}
