namespace PartnerBff.Features;

/// <summary>A page of any list of the API.</summary>
/// <param name="Data">The entries, in the order of the list.</param>
/// <param name="HasMore">Whether there is a next page.</param>
/// <param name="NextCursor">Pass it as <c>cursor</c> to get the next page; null on the last one.</param>
public sealed record Page<T>(IReadOnlyList<T> Data, bool HasMore, string? NextCursor);
