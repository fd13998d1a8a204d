using Microsoft.AspNetCore.Http;

namespace Bff.Sessions;

/// <summary>What a host decides about its browser sessions: where they are managed, and on which paths their cookie counts.</summary>
public sealed class SessionSite
{
    /// <summary>Below it are <c>login</c>, <c>callback</c>, <c>logout</c> and the others. Default <c>/bff</c>.</summary>
    public PathString Prefix { get; set; } = "/bff";

    /// <summary>The cookie's name without its <c>__Host-</c> prefix. Default <c>bff</c>.</summary>
    public string CookieName { get; set; } = "bff";

    /// <summary>Paths below which the cookie is a credential; elsewhere it is nothing. Default <c>/api</c> and <c>/bff</c>.</summary>
    public IReadOnlyList<PathString> CredentialPaths { get; set; } = ["/api", "/bff"];

    /// <summary>Paths below which every request needs <c>X-CSRF: 1</c>, reads included. Default <c>/api</c>.</summary>
    public IReadOnlyList<PathString> CsrfPaths { get; set; } = ["/api"];

    /// <summary>
    /// False for pages with forms that bring an antiforgery token of their own: their writes need no <c>X-CSRF</c>. Default true.
    /// </summary>
    public bool CsrfOnWrites { get; set; } = true;

    /// <summary>
    /// Where a browser goes that has signed out, or that signed in without saying where to, unless <c>Session:Home</c> says it. Default
    /// <c>/</c>.
    /// </summary>
    public string Home { get; set; } = "/";

    /// <summary>Ends what the host has made for a session, before the session ends. Default: nothing.</summary>
    public Func<IServiceProvider, EndingSession, Task>? Ending { get; set; }

    /// <summary>A path of this host, or the address of an app elsewhere.</summary>
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

/// <summary>A session that is about to end, or whose user has other roles from now on.</summary>
/// <param name="Id">As <see cref="Requests.Caller.SessionId"/>.</param>
/// <param name="Tenant">Its user's.</param>
public sealed record EndingSession(string Id, string? Tenant);

/// <summary>How an endpoint uses a session; endpoint metadata. Without it: not at all on anonymous endpoints, in full on others.</summary>
/// <param name="Slides">False: asking does not prolong the session.</param>
/// <param name="IsOptional">True: a request whose session is missing or over goes on as anonymous, also where the endpoint is
/// anonymous.</param>
/// <param name="IsStream">True for SSE and WebSocket, which browsers open without headers of one's own: <c>Origin</c> takes the place of
/// <c>X-CSRF</c>.</param>
public sealed record SessionUse(bool Slides = true, bool IsOptional = false, bool IsStream = false);
