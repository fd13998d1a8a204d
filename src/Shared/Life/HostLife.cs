using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Bff.Life;

/// <summary>
/// The life of a host from start to end.
/// 1. The host serves, warms up, and is ready once everything that it needs is ready.
/// 2. On SIGTERM it is no longer ready, but goes on serving for <c>Shutdown:Delay</c>, until the balancer notices.
/// 3. Streams are told to reconnect.
/// 4. No new connections are accepted, and requests in flight have 30 s.
/// 5. Leases and unacknowledged events are given back.
/// </summary>
public sealed partial class HostLife : IHostedLifecycleService, IDisposable
{
    internal static readonly TimeSpan InFlight = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WarmupLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(10);
    private readonly IHostApplicationLifetime _lifetime;
    private readonly IReadinessCheck[] _checks;
    private readonly IWarmup[] _warmups;
    private readonly Lazy<IDrainable[]> _drainables;
    private readonly TimeSpan _delay;
    private readonly TimeProvider _time;
    private readonly ILogger<HostLife> _logger;
    private readonly CancellationTokenSource _draining = new();
    private volatile bool _isWarm;

    /// <summary>Creates the object. Called by the container.</summary>
    public HostLife(
        IHostApplicationLifetime lifetime,
        IEnumerable<IReadinessCheck> checks,
        IEnumerable<IWarmup> warmups,
        IServiceProvider services,
        IOptions<ShutdownOptions> options,
        TimeProvider time,
        ILogger<HostLife> logger
    )
    {
        _lifetime = lifetime;
        _checks = [.. checks];
        _warmups = [.. warmups];
        // Resolved lazily, because drainables may depend on this class.
        _drainables = new(() => [.. (IEnumerable<IDrainable>)services.GetService(typeof(IEnumerable<IDrainable>))!]);
        _delay = options.Value.Delay;
        _time = time;
        _logger = logger;
        Draining = _draining.Token;
    }

    /// <summary>Cancelled, for good, when streams must end so that the host can. Not yet cancelled during <c>Shutdown:Delay</c>.</summary>
    public CancellationToken Draining { get; }

    /// <summary>Whether the host is stopping. True from the moment SIGTERM arrives.</summary>
    public bool IsStopping => _lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Whether the host accepts new traffic.</summary>
    public bool IsReady
    {
        get
        {
            if (!_isWarm || IsStopping)
            {
                return false;
            }

            foreach (var check in _checks)
            {
                if (!check.IsReady)
                {
                    return false;
                }
            }

            return true;
        }
    }

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken)
    {
        _ = Warm();
        return Task.CompletedTask;
    }

    /// <summary>
    /// Runs before the server stops. After a signal the stopping token is already cancelled. A host that its own code stops does not wait
    /// for a balancer.
    /// </summary>
    async Task IHostedLifecycleService.StoppingAsync(CancellationToken cancellationToken)
    {
        if (IsStopping && _delay > TimeSpan.Zero)
        {
            LogDelay(_logger, _delay);
            try
            {
                await Task.Delay(_delay, _time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // A second signal ends the delay.
            }
        }

        await _draining.CancelAsync();
        await Task.WhenAll(_drainables.Value.Select(drainable => Drain(drainable, cancellationToken)));
    }

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public void Dispose() => _draining.Dispose();

    /// <summary>
    /// Runs all warm-ups in parallel: each mostly waits for its own connections, and the host is ready when the last one is done.
    /// </summary>
    private async Task Warm()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_lifetime.ApplicationStopping);
        limit.CancelAfter(WarmupLimit);
        await Task.WhenAll(_warmups.Select(warmup => Task.Run(() => Warm(warmup, limit.Token))));
        _isWarm = true;
    }

    private async Task Warm(IWarmup warmup, CancellationToken limit)
    {
        try
        {
            await warmup.Warm(limit).WaitAsync(limit);
        }
#pragma warning disable CA1031 // A cold host is slow for a while, but it can serve.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogWarmupFailed(_logger, failure, warmup.GetType().Name);
        }
    }

    private async Task Drain(IDrainable drainable, CancellationToken cancellation)
    {
        try
        {
            await drainable.Drain(cancellation).WaitAsync(DrainLimit, _time, cancellation);
        }
#pragma warning disable CA1031 // The others drain nevertheless.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogDrainFailed(_logger, failure, drainable.GetType().Name);
        }
    }

    [LoggerMessage(
        1101,
        LogLevel.Information,
        "The host is no longer ready; it serves requests for another {Delay} so that the balancer can remove it",
        EventName = "ShutdownDelay"
    )]
    private static partial void LogDelay(ILogger logger, TimeSpan delay);

    [LoggerMessage(1102, LogLevel.Warning, "Warm-up {Warmup} failed; the first requests are slower", EventName = "WarmupFailed")]
    private static partial void LogWarmupFailed(ILogger logger, Exception exception, string warmup);

    [LoggerMessage(1103, LogLevel.Warning, "{Drainable} could not finish its work at shutdown", EventName = "DrainFailed")]
    private static partial void LogDrainFailed(ILogger logger, Exception exception, string drainable);
}
