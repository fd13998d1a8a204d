using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions;

/// <summary>The session that authenticates a request.</summary>
public sealed class BrowserSession
{
    internal BrowserSession(string key, SessionRecord record, long version, DateTimeOffset idleEnd) =>
        (Key, Record, Version, IdleEnd) = (key, record, version, idleEnd);

    /// <summary>Names the session to its user and to the sign-out link; not the cookie.</summary>
    public string Id => Record.Id;

    /// <summary>When it ends unless another request comes, and at the latest.</summary>
    public DateTimeOffset EndsAt => IdleEnd < Record.EndsAt ? IdleEnd : Record.EndsAt;

    /// <summary>The user's access token at the provider's other services; never leaves the gateway towards a browser.</summary>
    public string AccessToken => Record.AccessToken;

    internal string Key { get; }

    internal SessionRecord Record { get; }

    internal long Version { get; }

    internal DateTimeOffset IdleEnd { get; }

    internal DateTimeOffset LastSeen { get; init; }

    /// <summary>The request's session; null when something else, or nothing, authenticates it.</summary>
    public static BrowserSession? Of(HttpContext context) => context.Features.Get<BrowserSession>();

    /// <summary>
    /// 401 for a caller with a credential of another kind, with the challenge of callers who bring none (RFC 9110 section 15.5.2).
    /// </summary>
    internal static Problem Missing(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return new(ProblemCodes.MissingToken);
    }
}
