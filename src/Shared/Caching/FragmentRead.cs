using Bff.Concurrency;
using Bff.Upstreams;

namespace Bff.Caching;

/// <summary>A read of a fragment that several callers wait for, with what had been invalidated and written when it set out.</summary>
internal sealed class FragmentRead<T>(TagStamp stamp, ReadStamp reads, TimeSpan limit, TimeProvider time)
    : SharedRun<Fragment<T>>(limit, time)
{
    public TagStamp Stamp { get; } = stamp;

    public ReadStamp Reads { get; } = reads;
}
