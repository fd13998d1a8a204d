using System.Net;
using Bff.Edge;
using Bff.Requests;
using Bff.Upstreams.Tokens;

namespace Bff.Upstreams;

/// <summary>What a call gets in <c>Authorization</c>.</summary>
internal enum TokenChoice
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The caller's token.</summary>
    Caller,

    /// <summary>The gateway's own.</summary>
    Own,

    /// <summary>One that the caller's is exchanged for.</summary>
    Exchanged,

    /// <summary>What the service is to get the caller does not have: the call is not made.</summary>
    Missing,
}

/// <summary>Decides which token a call gets; the one place for typed clients, gRPC, GraphQL, routes and WebSockets.</summary>
internal static class ServiceToken
{
    private const string Header = "Authorization";

    /// <param name="origin">For whom the call is made.</param>
    /// <param name="options">Of the service.</param>
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

    /// <summary>In place of whatever the request has.</summary>
    public static void Set(HttpRequestMessage outgoing, string authorization)
    {
        Remove(outgoing);
        outgoing.Headers.TryAddWithoutValidation(Header, authorization);
    }

    /// <summary>Before a request goes to another service than the one that its token is for.</summary>
    public static void Remove(HttpRequestMessage outgoing) => outgoing.Headers.Remove(Header);

    /// <summary>Whether the service does not take the token: 401 (RFC 6750 section 3.1), or its counterpart in gRPC.</summary>
    public static bool IsRefused(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.Unauthorized || GrpcStatus.Of(response) == GrpcCode.Unauthenticated;
}
