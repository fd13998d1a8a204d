using Bff.Caching;
using Bff.Configuration;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.Extensions.Logging;

namespace Bff.Composition;

/// <summary>What every composer needs of the host.</summary>
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

    /// <summary>What a composed answer may vary by; empty where services are told nothing of the client.</summary>
    public string Vary => (clientHeaders?.Current ?? ClientHeaders.None).Vary;

    /// <summary>
    /// The client's headers with which an answer is asked for that is kept in a scope. Noted with the request thereby: it may be over by
    /// the time that the service is asked.
    /// </summary>
    public KeyValuePair<string, string>[] ClientHeadersFor(BffRequest request, CacheScope scope)
    {
        var headers = (clientHeaders?.Current ?? ClientHeaders.None).Of(request);
        return scope == CacheScope.Caller ? headers : ClientHeaders.Only(headers, upstreams.VaryBy);
    }

    /// <summary>
    /// What keeps a kept answer apart from others' in its scope: the client's headers that it was asked for with, and the services whose
    /// canary answers.
    /// </summary>
    public string? VariantFor(BffRequest request, KeyValuePair<string, string>[] headers) =>
        ClientHeaders.Variant(headers, upstreams.CanariesOf(request));

    /// <summary>A tenant with services of its own shares nothing with others: public means among themselves.</summary>
    public static CacheScope ScopeFor(CacheScope scope, BffRequest request) =>
        scope == CacheScope.Public && request.Tenant is { DedicatedUpstreams.Count: > 0 } ? CacheScope.Tenant : scope;
}
