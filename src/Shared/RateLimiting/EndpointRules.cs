using System.Runtime.CompilerServices;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.RateLimiting;

/// <summary>The properties of an endpoint that the limiter uses. Computed once per endpoint.</summary>
internal sealed class EndpointRules
{
    private static readonly ConditionalWeakTable<Endpoint, EndpointRules> Known = [];
    private Tuple<LimitSettings, EndpointLimit>? _limit;

    private EndpointRules(Endpoint endpoint)
    {
        Name = endpoint.Metadata.GetMetadata<EndpointName>()?.Name;
        IsUnlimited = endpoint.Metadata.GetMetadata<Unlimited>() is not null;

        // A routing refusal never charges for itself.
        ChargesItself = endpoint is RouteEndpoint ? endpoint.Metadata.GetMetadata<ChargesItself>() : null;
        IsDomainWrite = endpoint
            .Metadata.GetOrderedMetadata<CallerRule>()
            .Any(r => r.Scope?.EndsWith(".write", StringComparison.Ordinal) == true);
    }

    public string? Name { get; }

    public bool IsUnlimited { get; }

    public ChargesItself? ChargesItself { get; }

    /// <summary>
    /// Whether the endpoint writes domain data. Keys and webhooks have scopes of their own (<c>.manage</c>), so a read-only plan may manage
    /// them.
    /// </summary>
    public bool IsDomainWrite { get; }

    public static EndpointRules Of(Endpoint endpoint) =>
        Known.TryGetValue(endpoint, out var rules) ? rules : Known.GetValue(endpoint, static e => new(e));

    public EndpointLimit LimitIn(LimitSettings settings)
    {
        var known = _limit;
        if (known is null || !ReferenceEquals(known.Item1, settings))
        {
            _limit = known = Tuple.Create(settings, settings.Endpoint(Name));
        }

        return known.Item2;
    }
}
