using Bff.Upstreams;

namespace Bff.Caching;

/// <summary>The fragment cache as the composer sees it.</summary>
public interface IFragmentCache
{
    /// <summary>
    /// A fresh fragment in this process, about a microsecond away and without allocating; asking first spares the closure that
    /// <see cref="Get"/> needs.
    /// </summary>
    bool TryGet<T>(in FragmentRequest<T> request, out Fragment<T> fragment);

    /// <summary>
    /// A fragment of this process that may stand in for a failure of which the cache could not know, such as that the caller's time was up.
    /// </summary>
    bool TryStandIn<T>(in FragmentRequest<T> request, out Fragment<T> fragment);

    /// <summary>
    /// Serves a fresh fragment, or one that one read is renewing, or asks the upstream (one read per key at a time) and keeps a good answer.
    /// A stale fragment stands in for an upstream that fails; never throws for its failure.
    /// </summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="fetch">
    /// Asks the upstream; runs at most once at a time per key. Its token is not the caller's own: it ends when no request waits any more, or
    /// after 30 s. It may outlive the request that brought it, so it must not touch the <c>HttpContext</c>.
    /// </param>
    /// <param name="cancellation">Ends this caller's waiting.</param>
    /// <exception cref="OperationCanceledException">This caller's waiting ended.</exception>
    ValueTask<Fragment<T>> Get<T>(
        FragmentRequest<T> request,
        Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch,
        CancellationToken cancellation
    );
}
