namespace PartnerBff.Features;

/// <summary>Every list of the API.</summary>
/// <param name="Data">In the list's own order.</param>
/// <param name="HasMore">Whether there is a next page.</param>
/// <param name="NextCursor">Pass it as <c>cursor</c> to get the next page; null on the last one.</param>
public sealed record Page<T>(IReadOnlyList<T> Data, bool HasMore, string? NextCursor);
