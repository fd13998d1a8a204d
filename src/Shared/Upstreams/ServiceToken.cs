using System.Net;
using Bff.Edge;
using Bff.Requests;
using Bff.Upstreams.Tokens;

namespace Bff.Upstreams;

/// <summary>The token that a call sends in <c>Authorization</c>.</summary>
internal enum TokenChoice
{
    /// <summary>No token.</summary>
    None,

    /// <summary>The caller's token.</summary>
    Caller,

    /// <summary>The gateway's own token.</summary>
    Own,

    /// <summary>A token for which the caller's token is exchanged.</summary>
    Exchanged,

    /// <summary>The caller has no token, and the service needs one: the call is not made.</summary>
    Missing,
}

/// <summary>Chooses the token of a call, in one place for typed clients, gRPC, GraphQL, routes and WebSockets.</summary>
internal static class ServiceToken
{
    private const string Header = "Authorization";

    /// <param name="origin">The request for which the call is made.</param>
    /// <param name="options">The service's token settings.</param>
    public static TokenChoice Choose(BffRequest origin, TokenOptions options) =>
        options.Mode switch
        {
            TokenMode.None => TokenChoice.None,
            TokenMode.Client => TokenChoice.Own,
            _ when origin.Token.IsNone => options.Otherwise switch
            {
                TokenOtherwise.Client => TokenChoice.Own,
                TokenOtherwise.None => TokenChoice.None,
                _ => TokenChoice.Missing,
            },
            TokenMode.Caller => TokenChoice.Caller,
            _ => TokenChoice.Exchanged,
        };

    /// <summary>Sets the header, replacing any that the request has.</summary>
    public static void Set(HttpRequestMessage outgoing, string authorization)
    {
        Remove(outgoing);
        outgoing.Headers.TryAddWithoutValidation(Header, authorization);
    }

    /// <summary>Removes the header; call it before a request goes to a service other than the one that its token is for.</summary>
    public static void Remove(HttpRequestMessage outgoing) => outgoing.Headers.Remove(Header);

    /// <summary>Whether the service rejects the token: 401 (RFC 6750 section 3.1), or the corresponding status in gRPC.</summary>
    public static bool IsRefused(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.Unauthorized || GrpcStatus.Of(response) == GrpcCode.Unauthenticated;
}
