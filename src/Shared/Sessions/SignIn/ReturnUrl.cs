using System.Text;

namespace Bff.Sessions.SignIn;

/// <summary>
/// Checks where a browser goes after a sign-in: a path of this host that no browser reads as another host, or a path of a listed origin.
/// </summary>
internal static class ReturnUrl
{
    private const int MaxLength = 2048;

    /// <summary>Returns the address for <c>Location</c>. Null if it is neither local nor of a listed origin.</summary>
    /// <param name="url">The address that the browser asked for.</param>
    /// <param name="origins">Scheme, host and port, as <see cref="Uri"/> writes them.</param>
    public static string? Of(string url, IReadOnlyList<string> origins)
    {
        foreach (var origin in origins)
        {
            // The origin must be followed by a path: https://app.example.com.evil.example and https://app.example.com@evil.example begin
            // with it too.
            if (url.StartsWith(origin, StringComparison.OrdinalIgnoreCase) && (url.Length == origin.Length || url[origin.Length] == '/'))
            {
                return Local(url.Length == origin.Length ? "/" : url[origin.Length..]) is { } path ? origin + path : null;
            }
        }

        return Local(url);
    }

    /// <summary>Returns the path for <c>Location</c> (ASCII, escaped, without dot segments). Null if it is not local.</summary>
    public static string? Local(string url)
    {
        if (url.Length is 0 or > MaxLength || !IsPath(url))
        {
            return null;
        }

        foreach (var c in url.EnumerateRunes())
        {
            // Browsers drop tabs and line breaks, treat a backslash as a slash, and trim other white space.
            if (c.Value is '\\' || Rune.IsControl(c) || Rune.IsWhiteSpace(c))
            {
                return null;
            }
        }

        var path = url.AsSpan(0, url.AsSpan().IndexOfAny('?', '#') is >= 0 and var end ? end : url.Length);
        foreach (var escape in (string[])["%2f", "%5c", "%0", "%1", "%7f"])
        {
            if (path.Contains(escape, StringComparison.OrdinalIgnoreCase))
            {
                return null;
            }
        }

        // Dot segments are resolved here, not by the browser, and the result is checked again.
        return
            Uri.TryCreate("http://host.invalid" + url, UriKind.Absolute, out var uri)
            && uri is { Host: "host.invalid", IsDefaultPort: true, UserInfo: "" }
            && uri.PathAndQuery + uri.Fragment is { Length: <= MaxLength } local
            && IsPath(local)
            && !local.Contains('\\', StringComparison.Ordinal)
            ? local
            : null;
    }

    private static bool IsPath(string url) => url[0] == '/' && (url.Length == 1 || url[1] is not ('/' or '\\'));
}
