using Bff.Caching;
using Bff.Configuration;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.Extensions.Logging;

namespace Bff.Composition;

/// <summary>The host's services that every composer needs.</summary>
internal sealed class CompositionServices(
    TimeProvider time,
    FragmentCache cache,
    Reloadable<CompositionPolicies> policies,
    UpstreamRegistry upstreams,
    ILogger<Composer> logger,
    Reloadable<ClientHeaders>? clientHeaders = null
)
{
    public TimeProvider Time => time;

    public FragmentCache Cache => cache;

    public Reloadable<CompositionPolicies> Policies => policies;

    public ILogger Logger => logger;

    public StandInLog StandIns { get; } = new(logger, time);

    /// <summary>Value of <c>Vary</c> for composed answers; empty when no headers of the client are forwarded to services.</summary>
    public string Vary => (clientHeaders?.Current ?? ClientHeaders.None).Vary;

    /// <summary>
    /// Returns the client's headers for the call of an answer that is cached in a scope. This also keeps them with the request, which may
    /// be over when the service is called.
    /// </summary>
    public KeyValuePair<string, string>[] ClientHeadersFor(BffRequest request, CacheScope scope)
    {
        var headers = (clientHeaders?.Current ?? ClientHeaders.None).Of(request);
        return scope == CacheScope.Caller ? headers : ClientHeaders.Only(headers, upstreams.VaryBy);
    }

    /// <summary>
    /// Returns the part of a cache key that separates answers within a scope: the client's forwarded headers, and the services whose canary
    /// answers.
    /// </summary>
    public string? VariantFor(BffRequest request, KeyValuePair<string, string>[] headers) =>
        ClientHeaders.Variant(headers, upstreams.CanariesOf(request));

    /// <summary>
    /// Returns the effective scope: a tenant with dedicated upstreams shares nothing with others, so public becomes tenant.
    /// </summary>
    public static CacheScope ScopeFor(CacheScope scope, BffRequest request) =>
        scope == CacheScope.Public && request.Tenant is { DedicatedUpstreams.Count: > 0 } ? CacheScope.Tenant : scope;
}
