namespace Bff.Composition;

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
