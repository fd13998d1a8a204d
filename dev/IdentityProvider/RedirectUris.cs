namespace Bff.Dev.IdentityProvider;

internal static class RedirectUris
{
    public static bool Allow(List<string> registered, string asked)
    {
        if (!Uri.TryCreate(asked, UriKind.Absolute, out var uri) || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
            return false;
        return registered.Exists(known => string.Equals(known, asked, StringComparison.Ordinal) || SameLoopback(new Uri(known), uri));
    }

    // RFC 8252, section 7.3: an application chooses the port of a loopback redirect when it starts.
    private static bool SameLoopback(Uri known, Uri asked) =>
        IsLoopback(known)
        && IsLoopback(asked)
        && string.Equals(known.Host, asked.Host, StringComparison.Ordinal)
        && string.Equals(known.PathAndQuery, asked.PathAndQuery, StringComparison.Ordinal);

    private static bool IsLoopback(Uri uri) =>
        (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) && uri.Host is ("localhost" or "127.0.0.1" or "[::1]");
}
