using Bff.Upstreams;

namespace Bff.Caching;

/// <summary>The fragment cache as the composer sees it.</summary>
public interface IFragmentCache
{
    /// <summary>
    /// Serves a fresh fragment, or a stale one while one flight refreshes it, or asks the upstream (one flight per key) and keeps a good answer.
    /// A failed refresh serves the stale fragment; never throws for an upstream's failure.
    /// </summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="fetch">Asks the upstream; runs at most once at a time per key. Its token is not the caller's own: it ends when nobody waits any more.</param>
    /// <param name="cancellation">Ends this caller's waiting.</param>
    ValueTask<Fragment<T>> Get<T>(FragmentRequest<T> request, Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch, CancellationToken cancellation);
}
