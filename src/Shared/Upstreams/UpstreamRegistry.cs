using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using Bff.Configuration;
using Bff.Edge;
using Microsoft.Extensions.Configuration;

namespace Bff.Upstreams;

/// <summary>Every upstream by name: read by typed clients and by YARP alike. The current set is replaced as a whole; unchanged ones keep their connections.</summary>
internal sealed class UpstreamRegistry : IDisposable
{
    // Calls in flight on a replaced upstream end on its old connections within this time.
    private static readonly TimeSpan RetireAfter = TimeSpan.FromMinutes(2);

    private volatile Set _current = new(FrozenDictionary<string, Upstream>.Empty, FrozenDictionary<string, Upstream>.Empty, FrozenSet<string>.Empty);
    private readonly List<ITimer> _retired = [];
    private readonly TimeProvider _time;
    private UpstreamMetrics? _metrics;

    public UpstreamRegistry(TimeProvider time) => _time = time;

    /// <summary>What a configuration says; immutable.</summary>
    public sealed record Parsed(
        IReadOnlyDictionary<string, UpstreamOptions> Live,
        IReadOnlyDictionary<string, UpstreamOptions> Sandbox,
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, Uri>> Dedicated);

    private sealed record Set(FrozenDictionary<string, Upstream> Live, FrozenDictionary<string, Upstream> Sandbox, FrozenSet<string> Tenants);

    /// <summary>
    /// Shows the breakers to whoever collects metrics. Of one registry alone: an exporter takes instruments of one name for one, and the end of any would be the end of all.
    /// </summary>
    public void Measure(IMeterFactory host) => _metrics ??= new UpstreamMetrics(this, host);

    /// <summary>Raised after the set was replaced.</summary>
    public event Action? Changed;

    public TimeProvider Time => _time;

    /// <summary>All live upstreams.</summary>
    public IEnumerable<Upstream> All => _current.Live.Values;

    /// <summary>Reads and checks the sections; no side effects.</summary>
    public static Parsed Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var live = UpstreamsParser.Parse(configuration.GetSection("Upstreams"), mistakes);
        var sandbox = UpstreamsParser.Parse(configuration.GetSection("Sandbox:Upstreams"), mistakes);
        TokenOptionsParser.CheckClients("Upstreams", live, configuration, mistakes);
        TokenOptionsParser.CheckClients("Sandbox:Upstreams", sandbox, configuration, mistakes);
        var dedicated = new Dictionary<string, Dictionary<string, Uri>>(StringComparer.OrdinalIgnoreCase);
        foreach (var tenant in configuration.GetSection("Tenants").GetChildren())
        {
            foreach (var upstream in tenant.GetSection("DedicatedUpstreams").GetChildren())
            {
                if (!live.ContainsKey(upstream.Key))
                {
                    mistakes.Add(upstream.Path, "is not the name of an upstream.");
                }
                else if (UpstreamsParser.Address(upstream.GetSection("Address"), mistakes) is { } address)
                {
                    dedicated.TryAdd(upstream.Key, []);
                    dedicated[upstream.Key][tenant.Key] = address;
                }
            }
        }

        return new(live, sandbox, dedicated.ToDictionary(d => d.Key, d => (IReadOnlyDictionary<string, Uri>)d.Value, StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>Puts a checked configuration into force.</summary>
    public void Apply(Parsed parsed)
    {
        var before = _current;
        _current = new(
            Renew(parsed.Live, before.Live, parsed.Dedicated),
            Renew(parsed.Sandbox, before.Sandbox, new Dictionary<string, IReadOnlyDictionary<string, Uri>>()),
            parsed.Dedicated.Values.SelectMany(d => d.Keys).ToFrozenSet());
        VaryBy = parsed.Live.Values.Concat(parsed.Sandbox.Values).SelectMany(o => o.VaryBy).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        Retire(before.Live.Values.Except(_current.Live.Values).Concat(before.Sandbox.Values.Except(_current.Sandbox.Values)).ToList());
        Changed?.Invoke();
    }

    /// <summary>The upstream for this request: the sandbox's for test keys, which see nothing live; null when there is none.</summary>
    public Upstream? Find(string name, BffRequest request) =>
        (request.Caller.IsSandbox ? _current.Sandbox : _current.Live).GetValueOrDefault(name);

    /// <summary>Client's headers by which some upstream's answers vary.</summary>
    public FrozenSet<string> VaryBy { get; private set; } = FrozenSet<string>.Empty;

    /// <summary>Whether the tenant has a service of its own.</summary>
    public bool HasDedicated(string tenant) => _current.Tenants.Contains(tenant);

    /// <summary>Whether configuration has an upstream of this name.</summary>
    public bool Contains(string name) => _current.Live.ContainsKey(name);

    /// <inheritdoc />
    public void Dispose()
    {
        _metrics?.Dispose();
        foreach (var timer in _retired)
        {
            timer.Dispose();
        }

        foreach (var upstream in _current.Live.Values.Concat(_current.Sandbox.Values))
        {
            upstream.Dispose();
        }
    }

    private FrozenDictionary<string, Upstream> Renew(
        IReadOnlyDictionary<string, UpstreamOptions> wanted, FrozenDictionary<string, Upstream> before, IReadOnlyDictionary<string, IReadOnlyDictionary<string, Uri>> dedicated) =>
        wanted.ToFrozenDictionary(
            w => w.Key,
            w =>
            {
                var tenants = dedicated.GetValueOrDefault(w.Key) ?? new Dictionary<string, Uri>();
                return before.GetValueOrDefault(w.Key) is { } kept && kept.Options == w.Value
                    && kept.Tenants.Count == tenants.Count && !kept.Tenants.Except(tenants).Any()
                        ? kept
                        : new Upstream(w.Value, tenants, _time);
            },
            StringComparer.OrdinalIgnoreCase);

    private void Retire(List<Upstream> replaced)
    {
        if (replaced.Count > 0)
        {
            _retired.Add(_time.CreateTimer(_ => replaced.ForEach(u => u.Dispose()), null, RetireAfter, Timeout.InfiniteTimeSpan));
        }
    }
}
