namespace PartnerBff.Features.Events;

/// <summary>Event types that are wanted: names, <c>order.*</c> for all that begin so, <c>*</c> for all.</summary>
internal sealed class TypeFilter(IReadOnlyList<string> patterns)
{
    private const int MaxPatterns = 50;
    private const int MaxLength = 100;

    public bool Matches(string type)
    {
        if (patterns.Count == 0)
        {
            return true;
        }

        foreach (var pattern in patterns)
        {
            if (pattern == "*" || pattern == type
                || (pattern.EndsWith(".*", StringComparison.Ordinal) && type.AsSpan().StartsWith(pattern.AsSpan(0, pattern.Length - 1), StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The parameter <c>type</c>, repeated or separated by commas; null when it is malformed. Absent: all.</summary>
    public static TypeFilter? Parse(IEnumerable<string?> values)
    {
        var patterns = values.SelectMany(v => (v ?? "").Split(',', StringSplitOptions.TrimEntries)).ToList();
        return patterns.Count <= MaxPatterns && patterns.All(IsPattern) ? new(patterns) : null;
    }

    private static bool IsPattern(string text) =>
        text is { Length: > 0 and <= MaxLength }
        && (text == "*" || (text.EndsWith(".*", StringComparison.Ordinal) ? text[..^2] : text) is { Length: > 0 } name && !name.Contains('*', StringComparison.Ordinal));
}
