using Bff.Requests;

namespace Bff.Composition;

/// <summary>One piece of an answer, asked of one service.</summary>
public abstract class Part
{
    private volatile bool _hasEnded;

    private protected Part(Composer composer, string name, bool isRequired)
    {
        Composer = composer;
        Name = name;
        IsRequired = isRequired;
    }

    /// <summary>As in configuration, <c>_meta</c> and <c>Server-Timing</c>.</summary>
    public string Name { get; }

    /// <summary>Whether the answer can do without it.</summary>
    public bool IsRequired { get; }

    /// <summary>What became of it; <see cref="PartStatus.Skipped"/> until it has run.</summary>
    public PartStatus Status => _hasEnded ? Became : PartStatus.Skipped;

    /// <summary>From its start to its end.</summary>
    public TimeSpan Latency { get; private protected set; }

    /// <summary>Age of a cached or stale value.</summary>
    public int AgeSeconds { get; private protected set; }

    /// <summary>True when there is a value.</summary>
    public abstract bool HasValue { get; }

    /// <summary>By what its service recognizes the value; null where it did not say (<c>ETag</c>).</summary>
    public abstract string? ETag { get; }

    /// <summary>The same by time (<c>Last-Modified</c>).</summary>
    public abstract string? LastModified { get; }

    /// <summary>Whether everybody may see the value: it was asked for with nothing of the caller's own.</summary>
    internal abstract bool IsPublic { get; }

    /// <summary>
    /// Configuration says that it is not to be asked. Clients see <c>unavailable</c>; metrics tell it from a service that is.
    /// </summary>
    internal bool IsSwitchedOff { get; private protected set; }

    /// <summary>Whether it changes something.</summary>
    internal virtual bool Writes => false;

    private protected Composer Composer { get; }

    /// <summary>
    /// Whether its value and status are what they stay. An answer may be made while the part still runs: it must see neither half of one.
    /// </summary>
    private protected bool HasEnded => _hasEnded;

    /// <summary>The status while it runs.</summary>
    private protected PartStatus Became { get; set; } = PartStatus.Skipped;

    private protected void End() => _hasEnded = true;

    internal abstract Task Start();

    /// <summary>Undoes a write that has succeeded, where it says how.</summary>
    internal virtual ValueTask TakeBack() => default;

    /// <summary>Why a part that needs this one cannot be asked.</summary>
    internal abstract Problem Reason();
}

/// <summary>What became of a part.</summary>
public enum PartStatus
{
    /// <summary>Asked of its service for this request.</summary>
    Live,

    /// <summary>From the cache: fresh, or being renewed in the background.</summary>
    Cached,

    /// <summary>From the cache, past its freshness, because its service failed.</summary>
    Stale,

    /// <summary>Something else stood in.</summary>
    Fallback,

    /// <summary>The service failed.</summary>
    Failed,

    /// <summary>The service took too long.</summary>
    Timeout,

    /// <summary>Not asked: breaker, bulkhead, or switched off.</summary>
    Unavailable,

    /// <summary>Not wanted.</summary>
    Skipped,
}

/// <summary>Names of the statuses on the wire.</summary>
public static class PartStatusNames
{
    private static readonly string[] Names = ["live", "cached", "stale", "fallback", "failed", "timeout", "unavailable", "skipped"];

    /// <summary>As in <c>_meta</c> and <c>Server-Timing</c>.</summary>
    public static string Name(this PartStatus status) => Names[(int)status];

    /// <summary>True when the part has its data (or its service said that there is none).</summary>
    public static bool Succeeded(this PartStatus status) => status <= PartStatus.Fallback;
}
