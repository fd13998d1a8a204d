using Bff.Requests;

namespace Bff.Composition;

/// <summary>One piece of an answer, requested from one service.</summary>
public abstract class Part
{
    private volatile bool _hasEnded;

    private protected Part(Composer composer, string name, bool isRequired)
    {
        Composer = composer;
        Name = name;
        IsRequired = isRequired;
    }

    /// <summary>Name in configuration, <c>_meta</c> and <c>Server-Timing</c>.</summary>
    public string Name { get; }

    /// <summary>Whether the answer needs this part.</summary>
    public bool IsRequired { get; }

    /// <summary>Outcome of the part; <see cref="PartStatus.Skipped"/> until it has run.</summary>
    public PartStatus Status => _hasEnded ? Became : PartStatus.Skipped;

    /// <summary>Time from the part's start to its end.</summary>
    public TimeSpan Latency { get; private protected set; }

    /// <summary>Age of a cached or stale value in seconds.</summary>
    public int AgeSeconds { get; private protected set; }

    /// <summary>Whether the part has a value.</summary>
    public abstract bool HasValue { get; }

    /// <summary>The service's <c>ETag</c> of the value; null if it sent none.</summary>
    public abstract string? ETag { get; }

    /// <summary>The service's <c>Last-Modified</c> of the value; null if it sent none.</summary>
    public abstract string? LastModified { get; }

    /// <summary>Whether everybody may see the value, because nothing of the caller's own went into its request.</summary>
    internal abstract bool IsPublic { get; }

    /// <summary>
    /// Whether configuration disables the part. Clients see <c>unavailable</c>; metrics distinguish it from a service that is unavailable.
    /// </summary>
    internal bool IsSwitchedOff { get; private protected set; }

    /// <summary>Whether the part changes something.</summary>
    internal virtual bool Writes => false;

    private protected Composer Composer { get; }

    /// <summary>
    /// Whether value and status are final. An answer may be built while the part still runs, and must not see one of them without the
    /// other.
    /// </summary>
    private protected bool HasEnded => _hasEnded;

    /// <summary>The status while the part runs.</summary>
    private protected PartStatus Became { get; set; } = PartStatus.Skipped;

    private protected void End() => _hasEnded = true;

    internal abstract Task Start();

    /// <summary>Undoes a write that has succeeded, if it declares how.</summary>
    internal virtual ValueTask TakeBack() => default;

    /// <summary>Returns the reason why a part that depends on this one cannot run.</summary>
    internal abstract Problem Reason();
}

/// <summary>Outcome of a part.</summary>
public enum PartStatus
{
    /// <summary>The service was called for this request.</summary>
    Live,

    /// <summary>Served from the cache: fresh, or being revalidated in the background.</summary>
    Cached,

    /// <summary>Served from the cache past its freshness, because the service failed.</summary>
    Stale,

    /// <summary>Served from a fallback.</summary>
    Fallback,

    /// <summary>The service failed.</summary>
    Failed,

    /// <summary>The service took too long.</summary>
    Timeout,

    /// <summary>The service was not called: circuit breaker, bulkhead, or disabled.</summary>
    Unavailable,

    /// <summary>The part was not wanted.</summary>
    Skipped,
}

/// <summary>Names of the statuses in answers.</summary>
public static class PartStatusNames
{
    private static readonly string[] Names = ["live", "cached", "stale", "fallback", "failed", "timeout", "unavailable", "skipped"];

    /// <summary>Returns the name in <c>_meta</c> and <c>Server-Timing</c>.</summary>
    public static string Name(this PartStatus status) => Names[(int)status];

    /// <summary>Whether the part has its data, or its service answered that there is none.</summary>
    public static bool Succeeded(this PartStatus status) => status <= PartStatus.Fallback;
}
