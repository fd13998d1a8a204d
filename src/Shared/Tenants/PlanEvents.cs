using System.Text.Json;
using Bff.Concurrency;
using Bff.Events;
using Bff.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Tenants;

/// <summary>
/// Notifies a tenant of its new plan with the event <c>plan.changed</c>. The step that changes the plan records that the event is due. If
/// an instance dies before the event is in the event log, another one appends it. The log takes an event with the same id only once.
/// </summary>
internal sealed class PlanEvents(ITenantStore store, IEventLog log, TimeProvider time, ILogger<PlanEvents> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private readonly BackgroundLoop _loop = new("plan-events", logger);

    /// <summary>Appends due events at once if possible, otherwise in the next round.</summary>
    public async Task TellSoon(CancellationToken cancellation)
    {
        try
        {
            await Tell(cancellation);
        }
        catch (StoreException)
        {
            // The event is recorded as due, so the next round appends it.
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loop.Every(Every, time, Tell, stoppingToken);

    private async Task Tell(CancellationToken cancellation)
    {
        foreach (var change in await store.Untold(cancellation))
        {
            var data = JsonSerializer.SerializeToUtf8Bytes(
                new PlanChanged(change.Plan, change.PreviousPlan, change.DecidedAt ?? change.RequestedAt),
                PlanChangeJson.Default.PlanChanged
            );
            var head = new EventHead
            {
                Source = "/gateway/plans",
                SourceId = change.Id,
                Type = "plan.changed",
                Subject = change.Tenant,
                Tenant = change.Tenant,
                Time = change.DecidedAt,
            };
            await log.Append([new(head, data)], cancellation);
            await store.Told(change, cancellation);
        }
    }
}
