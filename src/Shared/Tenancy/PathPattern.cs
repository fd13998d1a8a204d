namespace Bff.Tenancy;

/// <summary>
/// A path pattern: <c>*</c> matches one segment, and a last <c>**</c> matches the rest of the path, which may be empty. Ignores case and a
/// trailing slash, as routing does.
/// </summary>
public sealed class PathPattern
{
    private readonly string[] _segments;
    private readonly bool _takesRest;

    private PathPattern(string text, string[] segments, bool takesRest) => (Text, _segments, _takesRest) = (text, segments, takesRest);

    /// <summary>A pattern that matches no path. It replaces an invalid pattern, because leaving that out would allow every path.</summary>
    public static PathPattern Nothing { get; } = new("", [""], takesRest: false);

    /// <summary>The pattern as it was written.</summary>
    public string Text { get; }

    /// <summary>
    /// Reads a pattern. Null if the text is not one. A pattern begins with a slash and has no empty segment. Stars stand alone in their
    /// segment, and <c>**</c> is only allowed at the end.
    /// </summary>
    public static PathPattern? Parse(string text)
    {
        if (text is not ['/', ..])
        {
            return null;
        }

        var trimmed = text.Trim('/');
        string[] segments = trimmed.Length == 0 ? [] : trimmed.Split('/');
        var takesRest = segments is [.., "**"];
        if (takesRest)
        {
            segments = segments[..^1];
        }

        return segments.All(s => s.Length > 0 && (s == "*" || !s.Contains('*', StringComparison.Ordinal)))
            ? new(text, segments, takesRest)
            : null;
    }

    /// <summary>Whether the decoded, normalised path matches. Allocates nothing.</summary>
    public bool Matches(ReadOnlySpan<char> path)
    {
        path = path.Trim('/');
        foreach (var expected in _segments)
        {
            if (path.IsEmpty)
            {
                return false;
            }

            var end = path.IndexOf('/');
            var segment = end < 0 ? path : path[..end];
            if (expected != "*" && !segment.Equals(expected, StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }

            path = end < 0 ? [] : path[(end + 1)..];
        }

        return _takesRest || path.IsEmpty;
    }
}
