namespace Bff.Upstreams;

/// <summary>
/// The one guard for values in paths. Refit escapes a value, which keeps its slashes, question marks and controls inside one segment; but
/// it lets an empty value and a dot segment through, by which a path names another resource, and turns half a surrogate pair into U+FFFD,
/// which stands for any of them.
/// </summary>
internal static class PathGuard
{
    /// <summary>Whether each value of the template is exactly one segment of the path.</summary>
    /// <param name="path">Escaped, with dot segments removed (RFC 3986 section 5.2.4), without its leading slash; a query may
    /// follow.</param>
    /// <param name="template">As the interface has it, with its leading slash.</param>
    public static bool Holds(ReadOnlySpan<char> path, ReadOnlySpan<char> template)
    {
        path = BeforeQuery(path);
        template = BeforeQuery(template);
        return path.Count('/') + 1 == template.Count('/')
            && path is not ([] or ['/', ..] or [.., '/'])
            && !path.Contains("//", StringComparison.Ordinal)
            && !path.Contains("%EF%BF%BD", StringComparison.Ordinal);
    }

    private static ReadOnlySpan<char> BeforeQuery(ReadOnlySpan<char> text) =>
        text.IndexOf('?') is >= 0 and var query ? text[..query] : text;
}
