namespace Bff.Life;

/// <summary>
/// Something that would keep a stopping host from ending, such as an open event stream. What is to be handed back after the last request
/// has finished (leases, unacknowledged events) belongs into <c>IHostedService.StopAsync</c> instead, which runs then.
/// </summary>
public interface IDrainable
{
    /// <summary>
    /// Called once, after <c>Shutdown:Delay</c>, while the host is about to take no more connections: tell clients to reconnect and let
    /// their requests end. What begins later sees <see cref="HostLife.Draining"/> cancelled already.
    /// </summary>
    Task Drain(CancellationToken cancellation);
}

/// <summary>Something that makes the first requests as fast as the later ones; the host is not ready until it has run.</summary>
public interface IWarmup
{
    /// <summary>Runs once, when the host already serves. Its failure is logged and forgotten; its time is bounded.</summary>
    Task Warm(CancellationToken cancellation);
}
