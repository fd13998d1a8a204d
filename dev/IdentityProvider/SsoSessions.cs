using System.Security.Cryptography;

namespace Bff.Dev.IdentityProvider;

/// <summary>Who is signed in at the provider, by a cookie of its own.</summary>
internal sealed class SsoSessions(IdentityProviderOptions options)
{
    private const string CookieName = "development-idp";
    private readonly ExpiringStore<SsoSession> sessions = new(options.Time);

    public SsoSession? Of(HttpContext context) => sessions.Find(context.Request.Cookies[CookieName]);

    public SsoSession Begin(HttpContext context, DevelopmentUser user)
    {
        if (Of(context) is { } before) sessions.Remove(before.CookieValue);
        var session = new SsoSession
        {
            CookieValue = Handle.Create("sso_"),
            Sid = RandomNumberGenerator.GetHexString(32, lowercase: true),
            User = user,
            SignedInAt = options.Time.GetUtcNow(),
        };
        sessions.Keep(session.CookieValue, session, options.Time.GetUtcNow() + options.SessionLifetime);
        context.Response.Cookies.Append(CookieName, session.CookieValue, Attributes(context));
        return session;
    }

    public static void Forget(HttpContext context) => context.Response.Cookies.Delete(CookieName, Attributes(context));

    public void End(SsoSession session) => sessions.Remove(session.CookieValue);

    public SsoSession[] Matching(string? sid, string? sub) =>
        [.. sessions.Live.Where(session => (sid is null || session.Sid == sid) && (sub is null || session.User.Subject == sub))];

    private static CookieOptions Attributes(HttpContext context) =>
        new() { HttpOnly = true, SameSite = SameSiteMode.Lax, Path = "/", Secure = context.Request.IsHttps };
}
