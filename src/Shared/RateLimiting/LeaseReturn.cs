using Bff.Concurrency;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.RateLimiting;

/// <summary>Gives unused leases back when their second is over and when the host stops.</summary>
internal sealed class LeaseReturn(LimitLeases leases, CallerLimitsCache callers, TimeProvider time, ILogger<LeaseReturn> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private readonly BackgroundLoop _loop = new("lease-return", logger);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await _loop.Try(_ => leases.GiveBack(everything: true), CancellationToken.None);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loop.Every(Interval, time, Round, stoppingToken);

    private Task Round(CancellationToken stopping)
    {
        callers.Trim();
        return Task.WhenAll(leases.JoinRotation(), leases.GiveBack(everything: false)); // If one fails, the other is still done.
    }
}
