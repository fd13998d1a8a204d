using Microsoft.AspNetCore.Http;

namespace Bff.Sessions;

/// <summary>A host's choices for its browser sessions: where they are managed, and on which paths their cookie counts.</summary>
public sealed class SessionSite
{
    /// <summary>Path prefix of <c>login</c>, <c>callback</c>, <c>logout</c> and the other endpoints. Default: <c>/bff</c>.</summary>
    public PathString Prefix { get; set; } = "/bff";

    /// <summary>The cookie's name without its <c>__Host-</c> prefix. Default: <c>bff</c>.</summary>
    public string CookieName { get; set; } = "bff";

    /// <summary>Paths below which the cookie is a credential; elsewhere it is ignored. Default: <c>/api</c> and <c>/bff</c>.</summary>
    public IReadOnlyList<PathString> CredentialPaths { get; set; } = ["/api", "/bff"];

    /// <summary>Paths below which every request needs <c>X-CSRF: 1</c>, reads included. Default: <c>/api</c>.</summary>
    public IReadOnlyList<PathString> CsrfPaths { get; set; } = ["/api"];

    /// <summary>
    /// Whether writes need <c>X-CSRF</c>. False for pages whose forms have an antiforgery token of their own. Default: true.
    /// </summary>
    public bool CsrfOnWrites { get; set; } = true;

    /// <summary>
    /// Where a browser goes after signing out, or after a sign-in that named no destination, unless <c>Session:Home</c> is set. Default:
    /// <c>/</c>.
    /// </summary>
    public string Home { get; set; } = "/";

    /// <summary>Ends what the host has made for a session, before the session ends. Default: does nothing.</summary>
    public Func<IServiceProvider, EndingSession, Task>? Ending { get; set; }

    /// <summary>Returns a path of this host, or the address of an app elsewhere.</summary>
    internal string HomeBy(SessionSettings settings) => settings.Home ?? Home;

    internal bool IsCredentialOn(PathString path) => Any(CredentialPaths, path);

    internal bool NeedsCsrf(HttpRequest request) =>
        Any(CsrfPaths, request.Path)
        || (
            CsrfOnWrites
            && !HttpMethods.IsGet(request.Method)
            && !HttpMethods.IsHead(request.Method)
            && !HttpMethods.IsOptions(request.Method)
        );

    private static bool Any(IReadOnlyList<PathString> prefixes, PathString path)
    {
        foreach (var prefix in prefixes)
        {
            if (path.StartsWithSegments(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>A session that is about to end, or whose user's roles or tenant have changed.</summary>
/// <param name="Id">The session's id, as in <see cref="Requests.Caller.SessionId"/>.</param>
/// <param name="Tenant">The user's tenant.</param>
public sealed record EndingSession(string Id, string? Tenant);

/// <summary>
/// Endpoint metadata: how an endpoint uses a session. Without it, anonymous endpoints do not use the session at all, and others use it in
/// full.
/// </summary>
/// <param name="Slides">Whether a request prolongs the session.</param>
/// <param name="IsOptional">
/// Whether a request whose session is missing or has ended goes on as anonymous. Then the session is also used if the endpoint is
/// anonymous.
/// </param>
/// <param name="IsStream">
/// Whether the endpoint serves SSE or WebSockets, which browsers open without custom headers. <c>Origin</c> then takes the place of
/// <c>X-CSRF</c>.
/// </param>
public sealed record SessionUse(bool Slides = true, bool IsOptional = false, bool IsStream = false);
