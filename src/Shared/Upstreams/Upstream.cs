using System.Collections.Concurrent;
using System.Text;
using Bff.Requests;
using Bff.Upstreams.Shadow;

namespace Bff.Upstreams;

/// <summary>A service behind the gateway: its own pool, its canary's, and those of tenants with dedicated addresses.</summary>
internal sealed class Upstream : IDisposable
{
    private const string Main = "main";
    private const string Canary = "canary";

    private readonly UpstreamPool _main;
    private readonly UpstreamPool? _canary;
    private readonly ShadowReads? _shadow;
    private readonly ConcurrentDictionary<string, (Uri Address, UpstreamPool Pool)> _tenants = new(StringComparer.Ordinal);
    private readonly Lock _opening = new();
    private readonly Action<IReadOnlyCollection<IDisposable>> _retire;
    private readonly PoolServices _services;
    private bool _isDisposed;

    /// <param name="options">What is known of the service.</param>
    /// <param name="retire">Disposes a replaced pool when the calls in flight on it have ended.</param>
    /// <param name="services">What pools need of the host.</param>
    public Upstream(UpstreamOptions options, Action<IReadOnlyCollection<IDisposable>> retire, PoolServices services)
    {
        Options = options;
        (_retire, _services) = (retire, services);
        _main = new UpstreamPool(options, Main, options.Addresses, services);
        _shadow = options.Shadow is { } shadow ? new ShadowReads(options, shadow, services) : null;
        _canary = options.Canary is { } canary ? new UpstreamPool(options, Canary, [canary.Address], services) : null;
    }

    public UpstreamOptions Options { get; }

    /// <summary>Pools by a name that metrics use.</summary>
    public IEnumerable<(string Name, UpstreamPool Pool)> Pools
    {
        get
        {
            yield return (Main, _main);
            if (_canary is not null)
            {
                yield return (Canary, _canary);
            }

            if (_shadow is not null)
            {
                yield return ("shadow", _shadow.Pool);
            }

            foreach (var (tenant, own) in _tenants)
            {
                yield return (tenant, own.Pool);
            }
        }
    }

    /// <summary>What copies a pool's reads; null where none does. A tenant's own service is shown to no other.</summary>
    public ShadowReads? ShadowOf(UpstreamPool pool) => pool == _main || pool == _canary ? _shadow : null;

    /// <summary>The pool that serves this request: the tenant's own, else the canary for its share, else the main one.</summary>
    public UpstreamPool PoolFor(BffRequest request)
    {
        if (
            !request.Caller.IsSandbox
            && request.Tenant is { DedicatedUpstreams.Count: > 0 } tenant
            && tenant.DedicatedUpstreams.TryGetValue(Options.Name, out var own)
        )
        {
            return _tenants.TryGetValue(tenant.Id, out var known) && known.Address == own ? known.Pool : Open(tenant.Id, own);
        }

        return _canary is not null && (request.Canaries?.Contains(Options.Name) ?? IsCanaryFor(request)) ? _canary : _main;
    }

    /// <summary>Takes out the pools of tenants that have another address now, or none.</summary>
    public IEnumerable<IDisposable> DropDedicated(Func<string, Uri, bool> isWanted)
    {
        foreach (var entry in _tenants)
        {
            if (!isWanted(entry.Key, entry.Value.Address) && _tenants.TryRemove(entry))
            {
                yield return entry.Value.Pool;
            }
        }
    }

    public void Dispose()
    {
        lock (_opening)
        {
            _isDisposed = true;
        }

        foreach (var (_, pool) in Pools)
        {
            pool.Dispose();
        }
    }

    /// <summary>Whether the canary answers this request, as far as its caller, its headers and its query decide that.</summary>
    public bool IsCanaryFor(BffRequest request)
    {
        if (Options.Canary is not { } options)
        {
            return false;
        }

        if (
            options.HeaderName is { } name
            && request.HttpContext?.Request is { } http
            && (http.Headers[name] == options.HeaderValue || http.Query[name] == options.HeaderValue)
        )
        {
            return true;
        }

        return options.Percent > 0 && Share(request) < options.Percent;
    }

    private UpstreamPool Open(string tenant, Uri address)
    {
        lock (_opening)
        {
            if (_tenants.TryGetValue(tenant, out var known) && (known.Address == address || _isDisposed))
            {
                return known.Pool;
            }

            if (_isDisposed)
            {
                return _main; // A further pool would not be disposed of.
            }

            var pool = new UpstreamPool(Options, tenant, [address], _services);
            _tenants[tenant] = (address, pool);
            if (known.Pool is { } replaced)
            {
                _retire([replaced]);
            }

            return pool;
        }
    }

    /// <summary>0 to 100, the same for the same caller.</summary>
    private static double Share(BffRequest request)
    {
        var who = request.Caller.IsAuthenticated
            ? request.Caller.Tenant + "\n" + request.Caller.Subject
            : request.HttpContext?.Connection.RemoteIpAddress?.ToString() ?? "";
        return StableHash(who) % 10_000 / 100.0;
    }

    // FNV-1a: the same on every instance and after every restart, unlike string.GetHashCode.
    private static uint StableHash(string text)
    {
        var hash = 2166136261u;
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ b) * 16777619u;
        }

        return hash;
    }
}
