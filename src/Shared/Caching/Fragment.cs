using Bff.Concurrency;
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

/// <summary>Who may see a cached value. There is no default.</summary>
public enum CacheScope
{
    /// <summary>Everybody, anonymous callers included.</summary>
    Public,

    /// <summary>Callers of the same tenant.</summary>
    Tenant,

    /// <summary>The same tenant and subject.</summary>
    Caller,
}

/// <summary>
/// By what a service recognizes the value that it gave (RFC 9110 section 8.8); both null where it said nothing, as for nearly all.
/// </summary>
/// <param name="ETag">As the service wrote it.</param>
/// <param name="LastModified">As the service wrote it.</param>
internal readonly record struct KeptValidators(string? ETag, string? LastModified)
{
    /// <summary>Whether there is anything to keep.</summary>
    public bool IsNothing => ETag is null && LastModified is null;
}

/// <summary>A read of a fragment that several callers wait for, with what had been invalidated and written when it set out.</summary>
internal sealed class FragmentRead<T>(TagStamp stamp, ReadStamp reads, TimeSpan limit, TimeProvider time)
    : SharedRun<Fragment<T>>(limit, time)
{
    public TagStamp Stamp { get; } = stamp;

    public ReadStamp Reads { get; } = reads;
}
