using System.Text.Json;
using Bff.Concurrency;
using Bff.Events;
using Bff.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Tenants;

/// <summary>
/// Tells a tenant of its new plan with the event <c>plan.changed</c>. The change notes in its own step that the event is due; an instance
/// that dies before it is in the event log leaves that to another one, and the log takes an event of one id once.
/// </summary>
internal sealed class PlanEvents(ITenantStore store, IEventLog log, TimeProvider time, ILogger<PlanEvents> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private readonly BackgroundLoop _loop = new("plan-events", logger);

    /// <summary>At once where that is possible, else with the next round.</summary>
    public async Task TellSoon(CancellationToken cancellation)
    {
        try
        {
            await Tell(cancellation);
        }
        catch (StoreException)
        {
            // Noted: the next round does it.
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
