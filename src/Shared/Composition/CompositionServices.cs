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

    /// <summary>A tenant with services of its own shares nothing with others: public means among themselves.</summary>
    public CacheScope ScopeFor(CacheScope scope, Caller caller) =>
        scope == CacheScope.Public && caller.Tenant is { } tenant && upstreams.HasDedicated(tenant) ? CacheScope.Tenant : scope;
}
