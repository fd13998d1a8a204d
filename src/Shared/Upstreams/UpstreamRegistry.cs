using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using Bff.Configuration;
using Bff.Requests;
using Bff.Upstreams.Discovery;
using Bff.Upstreams.Tokens;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Bff.Upstreams;

/// <summary>
/// All upstreams by name, for typed clients and YARP alike. A reload replaces the current set as a whole; unchanged upstreams keep their
/// connections.
/// </summary>
internal sealed class UpstreamRegistry : IDisposable
{
    // Time for calls in flight on a replaced upstream to end on its old connections.
    private static readonly TimeSpan RetireAfter = TimeSpan.FromMinutes(2);

    private volatile Set _current = new(FrozenDictionary<string, Upstream>.Empty, FrozenDictionary<string, Upstream>.Empty);
    private readonly List<Retirement> _retired = [];
    private readonly TimeProvider _time;
    private UpstreamMetrics? _metrics;

    private readonly PoolServices _live;
    private readonly PoolServices _sandbox;

    /// <param name="time">The clock.</param>
    /// <param name="logger">Logs for operators; null logs nothing.</param>
    /// <param name="names">Finds the instances behind names; null leaves that to the operating system, for each connection.</param>
    public UpstreamRegistry(TimeProvider time, ILogger<UpstreamLog>? logger = null, ServiceNames? names = null)
    {
        _time = time;
        _live = new(time, logger is null ? null : new(logger, time), names);
        _sandbox = _live with { Realm = "sandbox/" };
    }

    /// <summary>The upstreams of a configuration; immutable.</summary>
    public sealed record Parsed(IReadOnlyDictionary<string, UpstreamOptions> Live, IReadOnlyDictionary<string, UpstreamOptions> Sandbox);

    private sealed record Set(FrozenDictionary<string, Upstream> Live, FrozenDictionary<string, Upstream> Sandbox)
    {
        public Upstream[] LiveCanaries { get; } =
        [.. Live.Values.Where(u => u.Options.Canary is not null).OrderBy(u => u.Options.Name, StringComparer.Ordinal)];

        public Upstream[] SandboxCanaries { get; } =
        [.. Sandbox.Values.Where(u => u.Options.Canary is not null).OrderBy(u => u.Options.Name, StringComparer.Ordinal)];
    }

    /// <summary>
    /// Publishes the breakers as metrics. Use it on one registry only: an exporter treats instruments with the same name as one, so the end
    /// of one would be the end of all.
    /// </summary>
    public void Measure(IMeterFactory host) => _metrics ??= new UpstreamMetrics(this, host);

    /// <summary>Raised after the set has been replaced.</summary>
    public event Action? Changed;

    public TimeProvider Time => _time;

    /// <summary>All live upstreams.</summary>
    public IEnumerable<Upstream> All => _current.Live.Values;

    /// <summary>Reads and checks the sections, without side effects.</summary>
    public static Parsed Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var live = UpstreamsParser.Parse(configuration.GetSection("Upstreams"), mistakes);
        var sandbox = UpstreamsParser.Parse(configuration.GetSection("Sandbox:Upstreams"), mistakes);
        TokenOptionsParser.CheckClients("Upstreams", live, configuration, mistakes);
        TokenOptionsParser.CheckClients("Sandbox:Upstreams", sandbox, configuration, mistakes);
        return new(live, sandbox);
    }

    /// <summary>Applies a checked configuration.</summary>
    public void Apply(Parsed parsed)
    {
        var before = _current;
        _current = new(Renew(parsed.Live, before.Live, _live), Renew(parsed.Sandbox, before.Sandbox, _sandbox));
        VaryBy = parsed.Live.Values.Concat(parsed.Sandbox.Values).SelectMany(o => o.VaryBy).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        Retire(before.Live.Values.Except(_current.Live.Values).Concat(before.Sandbox.Values.Except(_current.Sandbox.Values)).ToList());
        Changed?.Invoke();
    }

    /// <summary>
    /// Returns the upstream for a request, or null. Test keys get the sandbox's upstream and see nothing live.
    /// </summary>
    public Upstream? Find(string name, BffRequest request) =>
        (request.Caller.IsSandbox ? _current.Sandbox : _current.Live).GetValueOrDefault(name);

    /// <summary>
    /// Returns the services whose canary answers the request. This is decided once, while the request's headers and address are available,
    /// and holds for every call on its behalf, even after it has ended. It is part of the key of everything that is cached.
    /// </summary>
    public string[] CanariesOf(BffRequest request)
    {
        if (request.Canaries is { } decided)
        {
            return decided;
        }

        var canaries = request.Caller.IsSandbox ? _current.SandboxCanaries : _current.LiveCanaries;
        return request.Canaries = canaries.Length == 0 ? [] : [.. canaries.Where(u => u.IsCanaryFor(request)).Select(u => u.Options.Name)];
    }

    /// <summary>The client's headers by which any upstream's answers vary.</summary>
    public FrozenSet<string> VaryBy { get; private set; } = FrozenSet<string>.Empty;

    /// <summary>
    /// Closes connections to dedicated addresses that tenants no longer have, after the calls in flight. Connections to new ones are opened
    /// when they are first needed.
    /// </summary>
    /// <param name="isWanted">Whether a tenant (by id) has this address of an upstream (by name).</param>
    public void DropDedicated(Func<string, string, Uri, bool> isWanted) =>
        Retire(
            _current.Live.Values.SelectMany(u => u.DropDedicated((tenant, address) => isWanted(tenant, u.Options.Name, address))).ToList()
        );

    /// <summary>Whether an upstream with this name is configured.</summary>
    public bool Contains(string name) => _current.Live.ContainsKey(name);

    /// <inheritdoc />
    public void Dispose()
    {
        _metrics?.Dispose();
        foreach (var retirement in _retired)
        {
            retirement.Dispose();
        }

        foreach (var upstream in _current.Live.Values.Concat(_current.Sandbox.Values))
        {
            upstream.Dispose();
        }
    }

    private FrozenDictionary<string, Upstream> Renew(
        IReadOnlyDictionary<string, UpstreamOptions> wanted,
        FrozenDictionary<string, Upstream> before,
        PoolServices services
    ) =>
        wanted.ToFrozenDictionary(
            w => w.Key,
            w => before.GetValueOrDefault(w.Key) is { } kept && kept.Options == w.Value ? kept : new Upstream(w.Value, Retire, services),
            StringComparer.OrdinalIgnoreCase
        );

    private void Retire(IReadOnlyCollection<IDisposable> replaced)
    {
        if (replaced.Count > 0)
        {
            lock (_retired)
            {
                _retired.RemoveAll(r => r.IsOver);
                _retired.Add(new Retirement(replaced, _time));
            }
        }
    }

    private sealed class Retirement : IDisposable
    {
        private readonly IReadOnlyCollection<IDisposable> _replaced;
        private readonly ITimer _timer;
        private int _over;

        public Retirement(IReadOnlyCollection<IDisposable> replaced, TimeProvider time)
        {
            _replaced = replaced;
            _timer = time.CreateTimer(static state => ((Retirement)state!).Dispose(), this, RetireAfter, Timeout.InfiniteTimeSpan);
        }

        public bool IsOver => Volatile.Read(ref _over) == 1;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0)
            {
                _timer?.Dispose();
                foreach (var one in _replaced)
                {
                    one.Dispose();
                }
            }
        }
    }
}
