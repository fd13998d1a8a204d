using Bff.Caching;
using Bff.Callers;
using Bff.Configuration;
using Bff.Upstreams;
using Microsoft.Extensions.Logging;

namespace Bff.Composition;

/// <summary>What every composer needs of the host.</summary>
internal sealed class CompositionServices(
    TimeProvider time, IFragmentCache cache, Reloadable<CompositionPolicies> policies, UpstreamRegistry upstreams, ILogger<Composer> logger)
{
    public TimeProvider Time => time;

    public IFragmentCache Cache => cache;

    public Reloadable<CompositionPolicies> Policies => policies;

    public ILogger Logger => logger;

    /// <summary>
    /// Whose values a scope refers to. Test keys see nothing live, and a tenant with services of its own shares nothing
    /// with others: for both, public means among themselves.
    /// </summary>
    public string OwnerOf(CacheScope scope, Caller caller)
    {
        var mode = caller.IsSandbox ? "test" : "live";
        return scope switch
        {
            CacheScope.Public when caller.Tenant is { } tenant && upstreams.HasDedicated(tenant) => $"{mode}\n{tenant}",
            CacheScope.Public => caller.IsSandbox ? mode : "",
            CacheScope.Tenant => $"{mode}\n{caller.Tenant}",
            _ => $"{mode}\n{caller.Tenant}\n{caller.Subject}",
        };
    }
}
