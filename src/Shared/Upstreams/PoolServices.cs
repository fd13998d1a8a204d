using Bff.Upstreams.Discovery;

namespace Bff.Upstreams;

/// <summary>The host's services that pools use.</summary>
/// <param name="Time">The clock.</param>
/// <param name="Log">The log of upstreams; null when nothing is logged.</param>
/// <param name="Names">Finds the instances behind a name; when null, the operating system resolves the name for each connection.</param>
/// <param name="Realm">Prefix of an upstream's name in the log and in metrics: <c>sandbox/</c> for the upstreams of test keys.</param>
internal sealed record PoolServices(TimeProvider Time, UpstreamLog? Log = null, ServiceNames? Names = null, string Realm = "");
