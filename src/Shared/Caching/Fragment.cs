using Bff.Upstreams;

namespace Bff.Caching;

/// <summary>Where a fragment came from.</summary>
public enum FragmentSource
{
    /// <summary>Asked of the upstream for this request (or for an identical one in flight).</summary>
    Live,

    /// <summary>From the cache: still fresh, or being renewed behind the answer.</summary>
    Cached,

    /// <summary>From the cache, past its freshness, because the upstream failed (RFC 5861).</summary>
    Stale,
}

/// <summary>An answer with its provenance.</summary>
/// <param name="Answer">The value, or why there is none.</param>
/// <param name="Source">Where it came from.</param>
/// <param name="AgeSeconds">Since it was live; 0 when it is.</param>
public readonly record struct Fragment<T>(UpstreamAnswer<T> Answer, FragmentSource Source, int AgeSeconds)
{
    /// <summary>
    /// The value as JSON (UTF-8) where it is kept, so that it can be copied into an answer without writing it again; else empty.
    /// </summary>
    public ReadOnlyMemory<byte> Json { get; init; }
}
