using Bff.Upstreams.Discovery;

namespace Bff.Upstreams;

/// <summary>What pools need of the host.</summary>
/// <param name="Time">The clock.</param>
/// <param name="Log">What operators are told; null: nothing.</param>
/// <param name="Names">Finds the instances behind names; null: the operating system does, connection by connection.</param>
/// <param name="Realm">Put before an upstream's name in the log and in metrics: <c>sandbox/</c> for those of test keys.</param>
internal sealed record PoolServices(TimeProvider Time, UpstreamLog? Log = null, ServiceNames? Names = null, string Realm = "");
