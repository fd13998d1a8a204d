using System.Text.Json;
using Bff.Events;
using Bff.State;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Webhooks.Delivery;

/// <summary>
/// Turns events into deliveries: 1. takes events from the queue; 2. starts a delivery for each endpoint of the tenant that wants the type;
/// 3. only then marks the events as done. After a crash the step is repeated, and a delivery has the same id however often it is started.
/// Once a day, and whenever Redis may have lost data, it runs <see cref="WebhookUpkeep"/>.
/// </summary>
internal sealed class WebhookDispatcher(
    IEventLog log,
    IEventQueue queue,
    IWebhookStore store,
    WebhookWorker worker,
    WebhookUpkeep upkeep,
    EventMetrics metrics,
    TimeProvider time,
    ILogger<WebhookDispatcher> logger
) : WebhookWork(time, new("webhook-dispatch", logger))
{
    private const int BatchSize = 100;
    private readonly TimeProvider _time = time;
    private IDisposable? _listening;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _listening = log.OnAppended(Wake);
        upkeep.Wanted += Wake;
        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _listening?.Dispose();
        upkeep.Wanted -= Wake;
        base.Dispose();
    }

    protected override async Task Work(CancellationToken cancellation)
    {
        // Not cancelled on shutdown, so that taken events are started or returned, instead of waiting until other instances may take them.
        while (!cancellation.IsCancellationRequested && await queue.Take(BatchSize, CancellationToken.None) is { Count: > 0 } events)
        {
            var left = events.GroupBy(e => e.Head.Tenant!).ToDictionary(t => t.Key, t => t.ToList());
            try
            {
                foreach (var tenant in left.Keys.ToList())
                {
                    if (await Begin(tenant, left[tenant], cancellation))
                    {
                        left.Remove(tenant);
                    }
                }
            }
            catch (OperationCanceledException)
            {
                await queue.Return([.. left.Values.SelectMany(t => t).Select(e => e.Id)], default);
                throw;
            }
        }

        await upkeep.Run(Rounds, cancellation);
    }

    public static WebhookDelivery Delivery(
        WebhookEndpoint endpoint,
        string eventId,
        string type,
        DateTimeOffset at,
        ReadOnlyMemory<byte> data,
        DateTimeOffset now
    )
    {
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString("type", type);
            writer.WriteString("timestamp", at.UtcDateTime); // Ends with Z, like all times in the API.
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

    /// <summary>
    /// Starts the deliveries of one tenant. Returns false if Redis refuses it: other tenants are not affected, and the queue hands the
    /// events out again.
    /// </summary>
    private async Task<bool> Begin(string tenant, List<LoggedEvent> events, CancellationToken cancellation)
    {
        try
        {
            var now = _time.GetUtcNow();
            var endpoints = await store.List(WebhookOwner.Live(tenant), cancellation);
            await store.Begin(
                [
                    .. from item in events
                    from endpoint in endpoints
                    where endpoint.Wants(item.Head.Type)
                    select Delivery(endpoint, item.Id.ToString(), item.Head.Type, item.OccurredAt, item.Data, now),
                ],
                now,
                cancellation
            );
            await queue.Done([.. events.Select(e => e.Id)], cancellation);
            Rounds.Succeeded(tenant);
        }
#pragma warning disable CA1031 // Only this tenant is affected.
        catch (Exception failure) when (failure is not (StoreUnavailableException or OperationCanceledException or ObjectDisposedException))
#pragma warning restore CA1031
        {
            Rounds.Failed(tenant, failure);
            return false;
        }

        foreach (var item in events)
        {
            metrics.HandedOver(item.Id, "webhooks");
        }

        worker.Wake();
        return true;
    }
}
