using Bff.Concurrency;
using Bff.Upstreams;

namespace Bff.Caching;

/// <summary>The source of a fragment.</summary>
public enum FragmentSource
{
    /// <summary>Read from the upstream for this request, or for an identical one in flight.</summary>
    Live,

    /// <summary>From the cache, and fresh or being renewed in the background.</summary>
    Cached,

    /// <summary>From the cache and no longer fresh, because the upstream failed (RFC 5861).</summary>
    Stale,
}

/// <summary>An answer with its source.</summary>
/// <param name="Answer">The value, or the reason why there is none.</param>
/// <param name="Source">Where the answer comes from.</param>
/// <param name="AgeSeconds">Seconds since the answer was live; 0 when it is live.</param>
public readonly record struct Fragment<T>(UpstreamAnswer<T> Answer, FragmentSource Source, int AgeSeconds)
{
    /// <summary>
    /// The value as JSON (UTF-8) when it is cached, so that it can be copied into a response without serializing it again; otherwise empty.
    /// </summary>
    public ReadOnlyMemory<byte> Json { get; init; }
}

/// <summary>Who may see a cached value. There is no default.</summary>
public enum CacheScope
{
    /// <summary>All callers, including anonymous ones.</summary>
    Public,

    /// <summary>Callers of the same tenant.</summary>
    Tenant,

    /// <summary>Callers of the same tenant and subject.</summary>
    Caller,
}

/// <summary>
/// The validators by which a service recognizes a value that it returned (RFC 9110 section 8.8). Both are null when it sent none, as most
/// services do.
/// </summary>
/// <param name="ETag">The ETag as the service wrote it.</param>
/// <param name="LastModified">The Last-Modified as the service wrote it.</param>
internal readonly record struct KeptValidators(string? ETag, string? LastModified)
{
    /// <summary>Whether there is nothing to keep.</summary>
    public bool IsNothing => ETag is null && LastModified is null;
}

/// <summary>A read of a fragment that several callers wait for, with the invalidations and writes known when it started.</summary>
internal sealed class FragmentRead<T>(TagStamp stamp, ReadStamp reads, TimeSpan limit, TimeProvider time)
    : SharedRun<Fragment<T>>(limit, time)
{
    public TagStamp Stamp { get; } = stamp;

    public ReadStamp Reads { get; } = reads;
}
