using System.Security.Cryptography;

namespace Bff.Dev.IdentityProvider;

/// <summary>The sessions of users who are signed in at the provider, by a cookie of its own.</summary>
internal sealed class SsoSessions(IdentityProviderOptions options)
{
    private const string CookieName = "development-idp";
    private readonly ExpiringStore<SsoSession> sessions = new(options.Time);

    public SsoSession? Of(HttpContext context) => sessions.Find(context.Request.Cookies[CookieName]);

    public SsoSession Begin(HttpContext context, DevelopmentUser user)
    {
        // Signing in again continues the session, so that a later sign-out still reaches the clients that joined before.
        var before = Of(context) is { } current && current.User.Subject == user.Subject ? current : null;
        if (before is not null)
            sessions.Remove(before.CookieValue);
        var session = new SsoSession
        {
            CookieValue = Handle.Create("sso_"),
            Sid = before?.Sid ?? RandomNumberGenerator.GetHexString(32, lowercase: true),
            User = user,
            SignedInAt = options.Time.GetUtcNow(),
        };
        foreach (var clientId in before?.Clients() ?? [])
            session.Joined(clientId);
        sessions.Keep(session.CookieValue, session, options.Time.GetUtcNow() + options.SessionLifetime);
        context.Response.Cookies.Append(CookieName, session.CookieValue, Attributes(context));
        return session;
    }

    public static void Forget(HttpContext context) => context.Response.Cookies.Delete(CookieName, Attributes(context));

    public void End(SsoSession session) => sessions.Remove(session.CookieValue);

    public SsoSession[] Matching(string? sid, string? sub) =>
        [.. sessions.Live.Where(session => (sid is null || session.Sid == sid) && (sub is null || session.User.Subject == sub))];

    private static CookieOptions Attributes(HttpContext context) =>
        new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Path = "/",
            Secure = context.Request.IsHttps,
        };
}
