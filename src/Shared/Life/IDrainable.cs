namespace Bff.Life;

/// <summary>
/// Something that would keep a stopping host from ending, such as an open event stream. Whatever is given back after the last request has
/// finished (leases, unacknowledged events) belongs in <c>IHostedService.StopAsync</c> instead, which runs then.
/// </summary>
public interface IDrainable
{
    /// <summary>
    /// Tells clients to reconnect and lets their requests end. Called once, after <c>Shutdown:Delay</c>, shortly before the host stops
    /// accepting connections. Whatever starts later finds <see cref="HostLife.Draining"/> already cancelled.
    /// </summary>
    Task Drain(CancellationToken cancellation);
}

/// <summary>Something that makes the first requests as fast as later ones. The host is not ready until it has run.</summary>
public interface IWarmup
{
    /// <summary>Runs once, when the host already serves. A failure is only logged, and the time is limited.</summary>
    Task Warm(CancellationToken cancellation);
}
