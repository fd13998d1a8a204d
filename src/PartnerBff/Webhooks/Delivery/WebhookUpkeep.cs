using Bff.Concurrency;
using Bff.Events;
using Bff.State;
using PartnerBff.Webhooks.Stores;
using EventId = Bff.Events.EventId;

namespace PartnerBff.Webhooks.Delivery;

/// <summary>
/// Maintains the endpoints every day: 1. secrets are sealed again long before the keys that sealed them are too old; 2. tenants whose
/// events are queued are restored. Redis stores their names separately, and can lose them while the endpoints stay. This also runs after
/// every reconnection, and events that were published meanwhile are delivered late rather than never.
/// </summary>
internal sealed partial class WebhookUpkeep : IDisposable
{
    private const int PageSize = 500;
    private static readonly TimeSpan Every = TimeSpan.FromDays(1);
    private readonly RedisState _redis;
    private readonly IEventLog _log;
    private readonly IEventQueue _queue;
    private readonly IWebhookStore _store;
    private readonly WebhookSecrets _secrets;
    private readonly WebhookWorker _worker;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private DateTimeOffset _dueAt;
    private int _isWanted;

    public WebhookUpkeep(
        RedisState redis,
        IEventLog log,
        IEventQueue queue,
        IWebhookStore store,
        WebhookSecrets secrets,
        WebhookWorker worker,
        TimeProvider time,
        ILogger<WebhookUpkeep> logger
    )
    {
        (_redis, _log, _queue, _store, _secrets, _worker, _time, _logger) = (redis, log, queue, store, secrets, worker, time, logger);
        _redis.Reconnected += OnReconnected;
    }

    /// <summary>Raised on a background thread when <see cref="Run"/> should be called soon.</summary>
    public event Action? Wanted;

    /// <summary>
    /// Does what is due, which is nothing most of the time. Work that failed because the store is unavailable is done when it is back.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The store is unavailable.</exception>
    public async Task Run(BackgroundLoop rounds, CancellationToken cancellation)
    {
        var isDaily = _time.GetUtcNow() >= _dueAt;
        if (Interlocked.Exchange(ref _isWanted, 0) == 0 && !isDaily)
        {
            return;
        }

        try
        {
            foreach (var owner in await _store.Owners(cancellation))
            {
                await LookAfter(owner, isDaily, rounds, cancellation);
            }
        }
        catch
        {
            Volatile.Write(ref _isWanted, 1);
            throw;
        }

        _dueAt = isDaily ? _time.GetUtcNow() + Every : _dueAt;
    }

    public void Dispose() => _redis.Reconnected -= OnReconnected;

    private void OnReconnected(object? sender, EventArgs reconnected)
    {
        Volatile.Write(ref _isWanted, 1);
        Wanted?.Invoke();
    }

    private async Task LookAfter(string owner, bool isDaily, BackgroundLoop rounds, CancellationToken cancellation)
    {
        try
        {
            var endpoints = await _store.List(owner, cancellation);
            if (WebhookOwner.LiveTenant(owner) is { } tenant && endpoints.Count > 0 && await _queue.Watch(tenant, cancellation))
            {
                LogWatchedAgain(_logger, tenant);
                await CatchUp(tenant, endpoints, cancellation);
            }

            foreach (var endpoint in isDaily ? endpoints : [])
            {
                if (await _secrets.Renew(endpoint, cancellation) is { } renewed)
                {
                    await _store.Change(owner, endpoint.Id, e => Same(e, endpoint) ? e with { Secrets = renewed } : e, cancellation);
                }
            }

            rounds.Succeeded(owner);
        }
#pragma warning disable CA1031 // One owner's failure does not affect the others.
        catch (Exception failure) when (failure is not (StoreUnavailableException or OperationCanceledException or ObjectDisposedException))
#pragma warning restore CA1031
        {
            rounds.Failed(owner, failure);
        }
    }

    /// <summary>Starts deliveries that the queue may have missed, as far as the log goes back; existing ones stay as they are.</summary>
    private async Task CatchUp(string tenant, IReadOnlyList<WebhookEndpoint> endpoints, CancellationToken cancellation)
    {
        for (
            EventId after = default;
            await _log.ReadTenant(tenant, after, PageSize, cancellation) is { Events: { Count: > 0 } events };
            after = events[^1].Id
        )
        {
            var now = _time.GetUtcNow();
            await _store.Begin(
                [
                    .. from item in events
                    from endpoint in endpoints
                    where endpoint.Wants(item.Head.Type) && item.Id.At >= (endpoint.EnabledAt ?? endpoint.CreatedAt)
                    select WebhookDispatcher.Delivery(endpoint, item.Id.ToString(), item.Head.Type, item.OccurredAt, item.Data, now),
                ],
                now,
                cancellation
            );
        }

        _worker.Wake();
    }

    private static bool Same(WebhookEndpoint a, WebhookEndpoint b) =>
        ReferenceEquals(a, b)
        || (
            a.Secrets.Count == b.Secrets.Count
            && a.Secrets.Zip(b.Secrets).All(p => p.First.Until == p.Second.Until && p.First.Box.AsSpan().SequenceEqual(p.Second.Box))
        );

    [LoggerMessage(
        3221,
        LogLevel.Warning,
        "Redis lost the entry that tenant {Tenant} has webhooks; the entry is restored, and events that the "
            + "log still has are delivered now",
        EventName = "WebhookTenantRelisted"
    )]
    private static partial void LogWatchedAgain(ILogger logger, string tenant);
}
