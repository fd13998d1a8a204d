using System.Text;

namespace Bff.Sessions.SignIn;

/// <summary>
/// Where a browser goes after it has signed in: a path of this host and nothing that could be read as another host, or a path of a listed
/// origin.
/// </summary>
internal static class ReturnUrl
{
    private const int MaxLength = 2048;

    /// <summary>The address as it goes into <c>Location</c>; null when it is neither local nor of a listed origin.</summary>
    /// <param name="url">What the browser asked for.</param>
    /// <param name="origins">Scheme, host and port, as <see cref="Uri"/> writes them.</param>
    public static string? Of(string url, IReadOnlyList<string> origins)
    {
        foreach (var origin in origins)
        {
            // After the origin a path must begin: https://app.example.com.evil.example begins like it too, and so does
            // https://app.example.com@evil.example.
            if (url.StartsWith(origin, StringComparison.OrdinalIgnoreCase) && (url.Length == origin.Length || url[origin.Length] == '/'))
            {
                return Local(url.Length == origin.Length ? "/" : url[origin.Length..]) is { } path ? origin + path : null;
            }
        }

        return Local(url);
    }

    /// <summary>The path as it goes into <c>Location</c> (ASCII, escaped, without dot segments); null when it is not local.</summary>
    public static string? Local(string url)
    {
        if (url.Length is 0 or > MaxLength || !IsPath(url))
        {
            return null;
        }

        foreach (var c in url.EnumerateRunes())
        {
            // Browsers drop tabs and line breaks and take a backslash for a slash; other white space is trimmed.
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

        // Dot segments are resolved here, not by the browser, and what is left is looked at again.
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
