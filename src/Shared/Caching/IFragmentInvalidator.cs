using Bff.State;

namespace Bff.Caching;

/// <summary>Drops fragments by their tags, on every instance of every host within one second.</summary>
public interface IFragmentInvalidator
{
    /// <summary>
    /// Invalidates tags. Nothing that was read before this call is served after it, neither as stale nor by a read that is now in flight.
    /// This instance drops its own fragments in any case.
    /// </summary>
    /// <param name="tags">The tags, such as <c>pricing:p-1</c>.</param>
    /// <param name="cancellation">Ends the wait. The invalidation may still happen.</param>
    /// <exception cref="StoreUnavailableException">The other instances could not be told. Call again.</exception>
    Task Invalidate(IReadOnlyCollection<string> tags, CancellationToken cancellation);
}

/// <summary>Derives fragment tags from events.</summary>
public static class FragmentTags
{
    /// <summary>
    /// Returns the tag that an event invalidates: type <c>pricing.updated</c> with subject <c>p-1</c> gives <c>pricing:p-1</c>; null
    /// without a subject.
    /// </summary>
    public static string? OfEvent(string type, string? subject)
    {
        var dot = type.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && !string.IsNullOrEmpty(subject) ? string.Concat(type.AsSpan(0, dot), ":", subject) : null;
    }
}
