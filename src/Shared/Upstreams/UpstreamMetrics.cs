using System.Diagnostics.Metrics;
using Polly.CircuitBreaker;

namespace Bff.Upstreams;

/// <summary>Observes the breakers of every pool.</summary>
internal sealed class UpstreamMetrics : IDisposable
{
    private readonly Meter _meter;

    /// <param name="registry">Whose breakers.</param>
    /// <param name="host">By which a listener tells the gateways of one process apart. Not the meter's maker: its meters end after the breakers.</param>
    public UpstreamMetrics(UpstreamRegistry registry, IMeterFactory host)
    {
        _meter = new(new MeterOptions("Bff.Upstreams") { Scope = host });
        _meter.CreateObservableGauge("bff.upstream.breaker.state", () => Observe(registry), "{state}", "0 closed, 1 half-open, 2 open.");
    }

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<int>> Observe(UpstreamRegistry registry) =>
        from upstream in registry.All
        from pool in upstream.Pools
        select new Measurement<int>(
            State(pool.Pool.Breaker.CircuitState),
            new KeyValuePair<string, object?>("upstream", upstream.Options.Name),
            new KeyValuePair<string, object?>("pool", pool.Name));

    private static int State(CircuitState state) => state switch
    {
        CircuitState.Closed => 0,
        CircuitState.HalfOpen => 1,
        _ => 2,
    };
}
