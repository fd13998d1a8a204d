using System.Text.Json;
using Bff.Events;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Webhooks.Delivery;

/// <summary>
/// Makes deliveries out of events: 1. takes events off the queue; 2. begins a delivery for each endpoint of the tenant that wants the type; 3. only then says
/// that the events are done. Dying in between repeats the step, and a delivery has the same id however often it is begun.
/// </summary>
internal sealed class WebhookDispatcher(
    IEventLog log, IEventQueue queue, IWebhookStore store, WebhookWorker worker, WebhookSecrets secrets, EventMetrics metrics, TimeProvider time,
    ILogger<WebhookDispatcher> logger) : WebhookWork(time, logger)
{
    private const int BatchSize = 100;
    private static readonly TimeSpan RenewEvery = TimeSpan.FromDays(1);
    private readonly TimeProvider _time = time;
    private DateTimeOffset _renewAt;
    private IDisposable? _listening;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _listening = log.OnAppended(Wake);
        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _listening?.Dispose();
        base.Dispose();
    }

    protected override async Task Work(CancellationToken cancellation)
    {
        // Not cancelled by the end of the host: what is taken is begun or returned, and not left lying until others may take it.
        while (!cancellation.IsCancellationRequested && await queue.Take(BatchSize, CancellationToken.None) is { Count: > 0 } events)
        {
            try
            {
                await Begin(events, cancellation);
            }
            catch (OperationCanceledException)
            {
                await queue.Return([.. events.Select(e => e.Id)], default);
                throw;
            }
        }

        if (_time.GetUtcNow() >= _renewAt)
        {
            _renewAt = _time.GetUtcNow() + RenewEvery;
            await RenewSecrets(cancellation);
        }
    }

    public static WebhookDelivery Delivery(WebhookEndpoint endpoint, string eventId, string type, DateTimeOffset at, ReadOnlyMemory<byte> data, DateTimeOffset now)
    {
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString("type", type);
            writer.WriteString("timestamp", at.UtcDateTime); // With Z, as everywhere in the API.
            writer.WritePropertyName("data");
            writer.WriteRawValue(data.Span, skipInputValidation: true);
            writer.WriteEndObject();
        }

        return new()
        {
            Id = WebhookSigning.DeliveryId(eventId, endpoint.Id),
            Owner = endpoint.Owner,
            EndpointId = endpoint.Id,
            EventId = eventId,
            Type = type,
            Body = body.ToArray(),
            CreatedAt = now,
            NextAttemptAt = now,
        };
    }

    private async Task Begin(IReadOnlyList<LoggedEvent> events, CancellationToken cancellation)
    {
        var now = _time.GetUtcNow();
        var deliveries = new List<WebhookDelivery>();
        foreach (var tenant in events.GroupBy(e => e.Head.Tenant!))
        {
            var endpoints = await store.List(WebhookOwner.Live(tenant.Key), cancellation);
            deliveries.AddRange(
                from item in tenant
                from endpoint in endpoints
                where endpoint.Wants(item.Head.Type)
                select Delivery(endpoint, item.Id.ToString(), item.Head.Type, item.OccurredAt, item.Data, now));
        }

        await store.Begin(deliveries, now, cancellation);
        await queue.Done([.. events.Select(e => e.Id)], cancellation);
        foreach (var item in events)
        {
            metrics.HandedOver(item.Id, "webhooks");
        }

        worker.Wake();
    }

    /// <summary>Long before the keys that they are sealed with are too old.</summary>
    private async Task RenewSecrets(CancellationToken cancellation)
    {
        foreach (var owner in await store.Owners(cancellation))
        {
            foreach (var endpoint in await store.List(owner, cancellation))
            {
                if (await secrets.Renew(endpoint, cancellation) is { } renewed)
                {
                    await store.Change(owner, endpoint.Id, e => ReferenceEquals(e, endpoint) || Same(e, endpoint) ? e with { Secrets = renewed } : e, cancellation);
                }
            }
        }
    }

    private static bool Same(WebhookEndpoint a, WebhookEndpoint b) =>
        a.Secrets.Count == b.Secrets.Count && a.Secrets.Zip(b.Secrets).All(p => p.First.Until == p.Second.Until && p.First.Box.AsSpan().SequenceEqual(p.Second.Box));
}
