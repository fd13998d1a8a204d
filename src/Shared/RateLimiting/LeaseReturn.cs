using Microsoft.Extensions.Hosting;

namespace Bff.RateLimiting;

/// <summary>Gives unused leases back: after their second, and when the host stops.</summary>
internal sealed class LeaseReturn(LeaseDesk desk, CallerLimitsCache callers, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await desk.GiveBack(everything: true);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await desk.TakeTurn();
                await desk.GiveBack(everything: false);
                callers.Trim();
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }
}
