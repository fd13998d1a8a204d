using Bff.State;

namespace Bff.Caching;

/// <summary>Drops fragments by what they depend on, on every instance of every host within one second.</summary>
public interface IFragmentInvalidator
{
    /// <summary>
    /// Nothing that was read before this call is served after it: not as stale, and not by a read that is in flight now.
    /// This instance drops its own fragments in any case.
    /// </summary>
    /// <param name="tags">Such as <c>pricing:p-1</c>.</param>
    /// <param name="cancellation">Ends the waiting; the invalidation may still happen.</param>
    /// <exception cref="StoreUnavailableException">The other instances could not be told; ask again.</exception>
    Task Invalidate(IReadOnlyCollection<string> tags, CancellationToken cancellation);
}

/// <summary>How events name fragments.</summary>
public static class FragmentTags
{
    /// <summary>
    /// The tag that an event invalidates: type <c>pricing.updated</c> with subject <c>p-1</c> is <c>pricing:p-1</c>; null without a
    /// subject.
    /// </summary>
    public static string? OfEvent(string type, string? subject)
    {
        var dot = type.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && !string.IsNullOrEmpty(subject) ? string.Concat(type.AsSpan(0, dot), ":", subject) : null;
    }
}
