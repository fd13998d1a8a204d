using System.Text;
using Bff.Edge;

namespace Bff.Upstreams;

/// <summary>A service behind the gateway: its own pool, its canary's, and those of tenants with dedicated addresses.</summary>
internal sealed class Upstream : IDisposable
{
    private readonly UpstreamPool _main;
    private readonly UpstreamPool? _canary;
    private readonly Dictionary<string, UpstreamPool> _tenants;

    public Upstream(UpstreamOptions options, IReadOnlyDictionary<string, Uri> tenants, TimeProvider time)
    {
        Options = options;
        Tenants = tenants;
        _main = new UpstreamPool(options, options.Addresses, time);
        _canary = options.Canary is { } canary ? new UpstreamPool(options, [canary.Address], time) : null;
        _tenants = tenants.ToDictionary(t => t.Key, t => new UpstreamPool(options, [t.Value], time));
    }

    public UpstreamOptions Options { get; }

    /// <summary>Tenant → dedicated address.</summary>
    public IReadOnlyDictionary<string, Uri> Tenants { get; }

    /// <summary>Pools by a name that metrics use.</summary>
    public IEnumerable<(string Name, UpstreamPool Pool)> Pools
    {
        get
        {
            yield return ("main", _main);
            if (_canary is not null)
            {
                yield return ("canary", _canary);
            }

            foreach (var (tenant, pool) in _tenants)
            {
                yield return (tenant, pool);
            }
        }
    }

    /// <summary>The pool that serves this request: the tenant's own, else the canary for its share, else the main one.</summary>
    public UpstreamPool PoolFor(BffRequest request)
    {
        if (_tenants.Count > 0 && request.Caller.Tenant is { } tenant && _tenants.TryGetValue(tenant, out var dedicated))
        {
            return dedicated;
        }

        return _canary is not null && IsCanary(Options.Canary!, request) ? _canary : _main;
    }

    public void Dispose()
    {
        foreach (var (_, pool) in Pools)
        {
            pool.Dispose();
        }
    }

    private static bool IsCanary(CanaryOptions options, BffRequest request)
    {
        if (options.HeaderName is { } name && request.HttpContext?.Request is { } http && (http.Headers[name] == options.HeaderValue || http.Query[name] == options.HeaderValue))
        {
            return true;
        }

        return options.Percent > 0 && Share(request) < options.Percent;
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
