using Bff.Edge;

namespace Bff.Upstreams;

/// <summary>Makes one segment of an upstream's path out of a value that came from outside.</summary>
public static class PathSegment
{
    /// <summary>The escaped segment (RFC 3986). A value that would change the path's meaning names nothing: 404.</summary>
    /// <exception cref="ProblemException">The value is empty or a dot segment.</exception>
    public static string Of(string value) =>
        value is "" or "." or ".." ? throw new ProblemException(new Problem(ProblemCodes.NotFound)) : Uri.EscapeDataString(value);

    /// <summary>A query value, escaped.</summary>
    public static string Query(string value) => Uri.EscapeDataString(value);

    /// <summary>A comma-separated list of ids as a query value, each escaped.</summary>
    public static string List(IEnumerable<string> values) => string.Join(',', values.Select(Uri.EscapeDataString));
}
