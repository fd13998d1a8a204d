using Microsoft.AspNetCore.Builder;

namespace Bff.Requests;

/// <summary>Metadata: the endpoint is no business of the limiter (health, the internal surface, problem pages).</summary>
internal sealed record Unlimited;

/// <summary>Metadata: the endpoint says itself how much a request is worth, with <c>RateLimiter.Charge</c>.</summary>
/// <param name="IsPeeked">Whether a request is refused at once when not even one unit is left.</param>
internal sealed record ChargesItself(bool IsPeeked = true);

/// <summary>How endpoints and groups are limited.</summary>
public static class RateLimitExtensions
{
    /// <summary>Neither limits nor plans nor tenants apply: for health, the internal surface and problem pages.</summary>
    public static TBuilder WithoutLimits<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new Unlimited()));
        return builder;
    }

    /// <summary>
    /// The request is admitted when one unit would be, and the endpoint charges what it turns out to be worth with
    /// <c>RateLimiter.Charge</c>, such as a batch its items. A request for which it charges nothing costs one unit.
    /// </summary>
    public static TBuilder ChargedByEndpoint<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new ChargesItself()));
        return builder;
    }

    /// <summary>
    /// The endpoint sees every request of a caller whose plan and tenant have it, however little is left: it charges what the request
    /// turns out to be worth with <c>RateLimiter.Charge</c>, and refuses it then, or leaves the charge to a request that it makes itself,
    /// with <c>RateLimiter.ChargeElsewhere</c>. A request for which it does neither costs one unit.
    /// </summary>
    public static TBuilder ChargedWithinEndpoint<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new ChargesItself(IsPeeked: false)));
        return builder;
    }
}

/// <summary>Endpoint metadata: served however busy the host is, and outside of the count. For health, sign-out and revocation.</summary>
public sealed class NeverShed
{
    internal static readonly NeverShed Instance = new();
}

/// <summary>
/// Endpoint metadata: holds its connection for long (server-sent events, WebSockets). It takes part in admission only until it streams.
/// </summary>
public sealed class LongLived
{
    internal static readonly LongLived Instance = new();
}

/// <summary>How admission treats an endpoint.</summary>
public static class AdmissionExtensions
{
    /// <summary>Serves it however busy the host is.</summary>
    public static TBuilder NeverShed<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(Requests.NeverShed.Instance);

    /// <summary>Gives its slot back once its answer has begun or its WebSocket is accepted.</summary>
    public static TBuilder LongLived<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(Requests.LongLived.Instance);
}
