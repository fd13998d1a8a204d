using Bff.Audit;
using Bff.Events;
using PartnerBff.Webhooks;
using PartnerBff.Webhooks.Stores;
using EventId = Bff.Events.EventId;

namespace PartnerBff.Tests.Webhooks;

/// <summary>A point in the code under test at which that code waits for the test.</summary>
internal sealed class PausePoint
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _continued = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Reached => _reached.Task.WaitAsync(TimeSpan.FromSeconds(90));

    public void Continue() => _continued.TrySetResult();

    /// <summary>
    /// Waits until the test lets the code go on or the wait is cancelled. A cancelled call ends without its answer, as it does in Redis.
    /// </summary>
    public async Task Pause(CancellationToken cancellation)
    {
        _reached.TrySetResult();
        await _continued.Task.WaitAsync(cancellation);
        cancellation.ThrowIfCancellationRequested();
    }
}

/// <summary>A queue that records the events that pass through it.</summary>
internal sealed class RecordedQueue(IEventQueue inner) : IEventQueue
{
    public PausePoint? AfterTake { get; init; }

    public List<EventId> Taken { get; } = [];

    public List<EventId> Returned { get; } = [];

    public List<EventId> Finished { get; } = [];

    public Task<bool> Watch(string tenant, CancellationToken cancellation) => inner.Watch(tenant, cancellation);

    public async Task<IReadOnlyList<LoggedEvent>> Take(int count, CancellationToken cancellation)
    {
        var events = await inner.Take(count, cancellation);
        Taken.AddRange(events.Select(e => e.Id));
        if (events.Count > 0 && AfterTake is { } point)
        {
            await point.Pause(cancellation);
        }

        return events;
    }

    public Task Done(IReadOnlyCollection<EventId> ids, CancellationToken cancellation)
    {
        Finished.AddRange(ids);
        return inner.Done(ids, cancellation);
    }

    public Task Return(IReadOnlyCollection<EventId> ids, CancellationToken cancellation)
    {
        Returned.AddRange(ids);
        return inner.Return(ids, cancellation);
    }
}

/// <summary>A store that pauses at certain points.</summary>
internal sealed class PausedStore(IWebhookStore inner) : IWebhookStore
{
    private int _looks;

    public PausePoint? Claimed { get; init; }

    public PausePoint? Beginning { get; init; }

    /// <summary>Number of reads of due deliveries.</summary>
    public int Looks => Volatile.Read(ref _looks);

    public async Task<IReadOnlyList<WebhookDelivery>> Claim(
        string endpointId,
        DateTimeOffset now,
        TimeSpan lease,
        int count,
        CancellationToken cancellation
    )
    {
        var claimed = await inner.Claim(endpointId, now, lease, count, cancellation);
        if (claimed.Count > 0 && Claimed is { } point)
        {
            await point.Pause(cancellation);
        }

        return claimed;
    }

    public async Task Begin(IReadOnlyCollection<WebhookDelivery> deliveries, DateTimeOffset now, CancellationToken cancellation)
    {
        if (deliveries.Count > 0 && Beginning is { } point)
        {
            await point.Pause(cancellation);
        }

        await inner.Begin(deliveries, now, cancellation);
    }

    public Task<IReadOnlyList<string>> Owners(CancellationToken cancellation) => inner.Owners(cancellation);

    public Task<IReadOnlyList<WebhookEndpoint>> List(string owner, CancellationToken cancellation) => inner.List(owner, cancellation);

    public Task<WebhookEndpoint?> Find(string owner, string id, CancellationToken cancellation) => inner.Find(owner, id, cancellation);

    public Task Add(WebhookEndpoint endpoint, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) =>
        inner.Add(endpoint, cancellation, audit);

    public Task<WebhookEndpoint?> Change(
        string owner,
        string id,
        Func<WebhookEndpoint, WebhookEndpoint> change,
        CancellationToken cancellation,
        EndpointAudit? audit = null
    ) => inner.Change(owner, id, change, cancellation, audit);

    public Task<bool> Delete(string owner, string id, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) =>
        inner.Delete(owner, id, cancellation, audit);

    public Task<IReadOnlyList<string>> Due(DateTimeOffset now, int count, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _looks);
        return inner.Due(now, count, cancellation);
    }

    public Task<DateTimeOffset?> Note(WebhookDelivery delivery, bool? succeeded, DateTimeOffset now, CancellationToken cancellation) =>
        inner.Note(delivery, succeeded, now, cancellation);

    public Task<bool> Reopen(WebhookDelivery delivery, DateTimeOffset? due, CancellationToken cancellation) =>
        inner.Reopen(delivery, due, cancellation);

    public Task<WebhookDelivery?> FindDelivery(string id, CancellationToken cancellation) => inner.FindDelivery(id, cancellation);

    public Task<IReadOnlyList<WebhookDelivery>> Deliveries(string endpointId, int skip, int count, CancellationToken cancellation) =>
        inner.Deliveries(endpointId, skip, count, cancellation);
}
