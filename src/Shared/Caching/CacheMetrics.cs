using System.Diagnostics.Metrics;

namespace Bff.Caching;

/// <summary>
/// Counts <c>bff.cache.requests</c> by <c>result</c> (hit, renewing, stale, shared, joined, miss, bypass) and <c>scope</c>.
/// </summary>
internal sealed class CacheMetrics
{
    private static readonly string[] Scopes = ["public", "tenant", "caller"];
    private readonly Counter<long> _requests;

    public CacheMetrics(IMeterFactory meters) =>
        _requests = meters
            .Create("Bff")
            .CreateCounter<long>("bff.cache.requests", "{request}", "Reads of cacheable or shareable fragments");

    public void Add(string result, CacheScope scope)
    {
        if (_requests.Enabled)
        {
            _requests.Add(1, new("result", result), new("scope", Scopes[(int)scope]));
        }
    }
}
