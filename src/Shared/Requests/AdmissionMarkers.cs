using Microsoft.AspNetCore.Builder;

namespace Bff.Requests;

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
