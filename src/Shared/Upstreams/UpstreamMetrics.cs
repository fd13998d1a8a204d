using System.Diagnostics.Metrics;

namespace Bff.Upstreams;

/// <summary>Observes the breaker and the bulkhead of every pool.</summary>
internal sealed class UpstreamMetrics : IDisposable
{
    private readonly Meter _meter;

    /// <param name="registry">The registry whose breakers are observed.</param>
    /// <param name="host">Scope by which a listener distinguishes the gateways of one process. It does not create the meter, because its
    /// meters outlive the breakers.</param>
    public UpstreamMetrics(UpstreamRegistry registry, IMeterFactory host)
    {
        _meter = new(new MeterOptions("Bff.Upstreams") { Scope = host });
        _meter.CreateObservableGauge(
            "bff.upstream.breaker.state",
            () => Observe(registry, static pool => State(pool.Breaker.State)),
            "{state}",
            "0 closed, 1 half-open, 2 open."
        );
        _meter.CreateObservableGauge(
            "bff.upstream.places",
            () => Observe(registry, static pool => pool.Places),
            "{call}",
            "Calls that hold a place of the bulkhead."
        );
    }

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<T>> Observe<T>(UpstreamRegistry registry, Func<UpstreamPool, T> value)
        where T : struct =>
        from upstream in registry.All
        from pool in upstream.Pools
        select new Measurement<T>(
            value(pool.Pool),
            new KeyValuePair<string, object?>("upstream", upstream.Options.Name),
            new KeyValuePair<string, object?>("pool", pool.Name)
        );

    private static int State(BreakerState state) =>
        state switch
        {
            BreakerState.Closed => 0,
            BreakerState.HalfOpen => 1,
            _ => 2,
        };
}
