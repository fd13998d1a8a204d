using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Bff.Sessions;

/// <summary>
/// The host's cookies (RFC 6265bis): HttpOnly, Secure, SameSite=Lax, Path=/. They are named <c>__Host-…</c>, so that no other host can set
/// them, or <c>__Host-Http-…</c> if the browser knows that prefix, so that no script can set them either. In development over plain http
/// there is no prefix.
/// </summary>
internal sealed class SessionCookie(SessionSite site, IHostEnvironment environment)
{
    private const string Host = "__Host-",
        HttpOnlyHost = "__Host-Http-";
    private const int ChromiumThatKnows = 140;

    public string? Read(HttpContext context, string suffix = "")
    {
        var name = site.CookieName + suffix;
        return IsPlain(context) ? Read(context, "", name) : Read(context, HttpOnlyHost, name) ?? Read(context, Host, name);
    }

    public bool Has(HttpContext context) => !string.IsNullOrEmpty(Read(context));

    public void Write(HttpContext context, string value, string suffix = "", TimeSpan? life = null) =>
        context.Response.Cookies.Append(Name(context, site.CookieName + suffix), value, Options(context, life));

    public void Delete(HttpContext context, string suffix = "")
    {
        var name = site.CookieName + suffix;
        foreach (var spelling in IsPlain(context) ? [name] : new[] { Host + name, HttpOnlyHost + name })
        {
            if (context.Request.Cookies.ContainsKey(spelling))
            {
                context.Response.Cookies.Delete(spelling, Options(context, null));
            }
        }
    }

    /// <summary>
    /// Reads a cookie by its exact name. The framework treats <c>__HOST-</c> like <c>__Host-</c>, but a browser that compares case lets any
    /// neighbouring host set the former. Null if the cookie is sent twice: one of the two was planted, and it is unknown which.
    /// </summary>
    private static string? Read(HttpContext context, string prefix, string name)
    {
        string? found = null;
        foreach (var header in context.Request.Headers.Cookie)
        {
            foreach (var range in header.AsSpan().Split(';'))
            {
                var pair = header.AsSpan(range).Trim();
                if (
                    pair.Length > prefix.Length + name.Length
                    && pair.StartsWith(prefix)
                    && pair[prefix.Length..].StartsWith(name)
                    && pair[prefix.Length + name.Length] == '='
                )
                {
                    if (found is not null)
                    {
                        return null;
                    }

                    found = pair[(prefix.Length + name.Length + 1)..].ToString();
                }
            }
        }

        return found;
    }

    private string Name(HttpContext context, string name) =>
        IsPlain(context) ? name : (KnowsHttpPrefix(context.Request) ? HttpOnlyHost : Host) + name;

    private bool IsPlain(HttpContext context) => !context.Request.IsHttps && environment.IsDevelopment();

    private CookieOptions Options(HttpContext context, TimeSpan? life) =>
        new()
        {
            HttpOnly = true,
            Secure = !IsPlain(context),
            SameSite = SameSiteMode.Lax,
            Path = "/",
            MaxAge = life,
            IsEssential = true,
        };

    /// <summary>
    /// Whether the browser knows the prefix <c>__Host-Http-</c>. Other browsers treat such a name like an ordinary <c>__Host-</c> one, but
    /// the session would be lost if they dropped the client hint in between.
    /// </summary>
    private static bool KnowsHttpPrefix(HttpRequest request)
    {
        var brands = request.Headers["Sec-CH-UA"].ToString();
        var at = brands.IndexOf("\"Chromium\";v=\"", StringComparison.Ordinal);
        if (at < 0)
        {
            return false;
        }

        var version = brands.AsSpan(at + "\"Chromium\";v=\"".Length);
        var end = version.IndexOfAnyExceptInRange('0', '9');
        return end > 0 && int.TryParse(version[..end], out var major) && major >= ChromiumThatKnows;
    }
}
