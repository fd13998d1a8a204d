namespace PartnerBff.Webhooks;

/// <summary>
/// Filters types of events, for the log and for webhooks: names, <c>order.*</c> for all with that prefix, <c>*</c> for all.
/// </summary>
internal static class EventTypes
{
    public const int MaxFilters = 50;
    private const int MaxLength = 128;

    public static bool AreFilters(IReadOnlyCollection<string?> filters) => filters.Count <= MaxFilters && filters.All(IsFilter);

    public static bool Match(IReadOnlyList<string> filters, string type) =>
        filters.Any(filter =>
            filter == "*"
            || filter == type
            || (IsPrefix(filter) && type.StartsWith(filter.AsSpan(0, filter.Length - 1), StringComparison.Ordinal))
        );

    private static bool IsFilter(string? filter) =>
        filter is { Length: > 0 and <= MaxLength } && (filter == "*" || IsName(IsPrefix(filter) ? filter[..^2] : filter));

    private static bool IsPrefix(string filter) => filter.EndsWith(".*", StringComparison.Ordinal);

    private static bool IsName(string text) =>
        text.Length > 0
        && text[0] != '.'
        && text[^1] != '.'
        && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
