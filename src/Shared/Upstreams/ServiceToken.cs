using Bff.Edge;

namespace Bff.Upstreams;

/// <summary>Which token a service gets in <c>Authorization</c>.</summary>
internal enum TokenMode
{
    /// <summary>None.</summary>
    None,

    /// <summary>The access token the caller came with; behind a session the session's, refreshed first if need be.</summary>
    Caller,
}

/// <summary>Gives a call the token that its service is configured to get; the one place for typed clients, gRPC, GraphQL, routes and WebSockets.</summary>
internal static class ServiceToken
{
    private const string Header = "Authorization";

    /// <summary>False when the service is to get a token that this caller does not have: then the call is not made.</summary>
    /// <param name="outgoing">On its way to the service.</param>
    /// <param name="origin">For whom.</param>
    /// <param name="options">Of the service.</param>
    public static bool TryApply(HttpRequestMessage outgoing, BffRequest origin, UpstreamOptions options)
    {
        if (options.TokenMode == TokenMode.None)
        {
            return true;
        }

        Remove(outgoing);
        return !origin.Token.IsNone && outgoing.Headers.TryAddWithoutValidation(Header, origin.Token.Authorization);
    }

    /// <summary>Before a request goes to another service than the one that its token is for.</summary>
    public static void Remove(HttpRequestMessage outgoing) => outgoing.Headers.Remove(Header);
}
