using Microsoft.AspNetCore.Builder;

namespace Bff.Requests;

/// <summary>Endpoint metadata: the rate limiter ignores the endpoint (health, the internal surface, problem pages).</summary>
internal sealed record Unlimited;

/// <summary>Endpoint metadata: the endpoint itself charges for a request, with <c>RateLimiter.Charge</c>.</summary>
/// <param name="IsPeeked">Whether a request is refused at once when not even one unit is left.</param>
internal sealed record ChargesItself(bool IsPeeked = true);

/// <summary>Says how endpoints and groups are limited.</summary>
public static class RateLimitExtensions
{
    /// <summary>Exempts the endpoint from limits, plans and tenants. For health, the internal surface and problem pages.</summary>
    public static TBuilder WithoutLimits<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new Unlimited()));
        return builder;
    }

    /// <summary>
    /// Admits a request if one unit is left. The endpoint then charges the actual cost with <c>RateLimiter.Charge</c>, such as one unit for
    /// each item of a batch. A request for which it charges nothing costs one unit.
    /// </summary>
    public static TBuilder ChargedByEndpoint<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new ChargesItself()));
        return builder;
    }

    /// <summary>
    /// Passes every request to the endpoint, however little is left, provided that the caller's plan and tenant include the endpoint. The
    /// endpoint charges the actual cost with <c>RateLimiter.Charge</c> and refuses the request if that fails, or it leaves the charge to a
    /// request that it makes itself, with <c>RateLimiter.ChargeElsewhere</c>. A request for which it does neither costs one unit.
    /// </summary>
    public static TBuilder ChargedWithinEndpoint<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new ChargesItself(IsPeeked: false)));
        return builder;
    }
}

/// <summary>Endpoint metadata: always served, however busy the host is, and not counted. For health, sign-out and revocation.</summary>
public sealed class NeverShed
{
    internal static readonly NeverShed Instance = new();
}

/// <summary>
/// Endpoint metadata: the endpoint holds its connection for long (server-sent events, WebSockets). It takes part in admission only until it
/// streams.
/// </summary>
public sealed class LongLived
{
    internal static readonly LongLived Instance = new();
}

/// <summary>Says how admission treats an endpoint.</summary>
public static class AdmissionExtensions
{
    /// <summary>Serves the endpoint however busy the host is.</summary>
    public static TBuilder NeverShed<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(Requests.NeverShed.Instance);

    /// <summary>Gives the request's slot back once its answer has begun or its WebSocket is accepted.</summary>
    public static TBuilder LongLived<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(Requests.LongLived.Instance);
}
