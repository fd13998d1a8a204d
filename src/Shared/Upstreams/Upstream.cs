using System.Collections.Concurrent;
using System.Text;
using Bff.Requests;
using Bff.Upstreams.Shadow;

namespace Bff.Upstreams;

/// <summary>A service behind the gateway, with its pool, its canary's, and those of tenants with dedicated addresses.</summary>
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

    /// <param name="options">The service's settings.</param>
    /// <param name="retire">Disposes of a replaced pool after its calls in flight have ended.</param>
    /// <param name="services">The host's services for pools.</param>
    public Upstream(UpstreamOptions options, Action<IReadOnlyCollection<IDisposable>> retire, PoolServices services)
    {
        Options = options;
        (_retire, _services) = (retire, services);
        _main = new UpstreamPool(options, Main, options.Addresses, services);
        _shadow = options.Shadow is { } shadow ? new ShadowReads(options, shadow, services) : null;
        _canary = options.Canary is { } canary ? new UpstreamPool(options, Canary, [canary.Address], services) : null;
    }

    public UpstreamOptions Options { get; }

    /// <summary>All pools with their names in metrics.</summary>
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

    /// <summary>
    /// Returns the shadow that copies a pool's reads; null if there is none. A tenant's dedicated service is never copied.
    /// </summary>
    public ShadowReads? ShadowOf(UpstreamPool pool) => pool == _main || pool == _canary ? _shadow : null;

    /// <summary>Returns the pool for a request: the tenant's own, else the canary for its share of callers, else the main pool.</summary>
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

    /// <summary>Removes the pools of tenants whose dedicated address has changed or is gone.</summary>
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

    /// <summary>Whether the canary should answer this request, judging by its caller, headers and query.</summary>
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
                return _main; // A new pool would never be disposed of.
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

    /// <summary>Returns a number from 0 to 100 that is stable for a caller.</summary>
    private static double Share(BffRequest request)
    {
        var who = request.Caller.IsAuthenticated
            ? request.Caller.Tenant + "\n" + request.Caller.Subject
            : request.HttpContext?.Connection.RemoteIpAddress?.ToString() ?? "";
        return StableHash(who) % 10_000 / 100.0;
    }

    // FNV-1a gives the same value on every instance and after every restart, unlike string.GetHashCode.
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
