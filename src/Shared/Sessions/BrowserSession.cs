using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions;

/// <summary>The session that authenticates a request.</summary>
public sealed class BrowserSession
{
    internal BrowserSession(string key, SessionRecord record, long version, DateTimeOffset idleEnd) =>
        (Key, Record, Version, IdleEnd) = (key, record, version, idleEnd);

    /// <summary>The id by which the user and the sign-out link name the session. It is not the cookie.</summary>
    public string Id => Record.Id;

    /// <summary>When the session ends if no further request arrives; never later than its absolute end.</summary>
    public DateTimeOffset EndsAt => IdleEnd < Record.EndsAt ? IdleEnd : Record.EndsAt;

    /// <summary>The user's access token for the provider's other services. It is never sent to a browser.</summary>
    public string AccessToken => Record.AccessToken;

    internal string Key { get; }

    internal SessionRecord Record { get; }

    internal long Version { get; }

    internal DateTimeOffset IdleEnd { get; }

    internal DateTimeOffset LastSeen { get; init; }

    /// <summary>Returns the request's session. Null if something else, or nothing, authenticates the request.</summary>
    public static BrowserSession? Of(HttpContext context) => context.Features.Get<BrowserSession>();

    /// <summary>
    /// Returns a 401 for a caller with a credential of another kind, with the challenge that callers without a credential get (RFC 9110
    /// section 15.5.2).
    /// </summary>
    internal static Problem Missing(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return new(ProblemCodes.MissingToken);
    }
}
