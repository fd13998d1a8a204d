using System.Text.Json.Serialization.Metadata;
using Bff.Requests;

namespace Bff.Caching;

/// <summary>Describes a fragment to look up: for which caller, how long it may be kept, and what invalidates it.</summary>
/// <param name="Key">Names the value within its scope, such as <c>pricing:p-1</c>. It contains everything that the answer depends on except
/// the scope and the type.</param>
/// <param name="Scope">Who may see the value. It is never widened. Without a tenant, the tenant's scope becomes the caller's. Reads of an
/// anonymous caller in the caller's scope are not shared.</param>
/// <param name="Caller">The caller whose tenant and subject <paramref name="Scope"/> refers to. Sandbox callers share nothing with others
/// in any scope.</param>
/// <param name="Fresh">How long the value is served without asking the upstream. Zero: it is not kept, but identical reads in flight share
/// one call.</param>
/// <param name="Stale">How long after that the value may replace the answer of an upstream that fails (stale-if-error, RFC 5861), but never
/// a real answer.</param>
/// <param name="Tags">What the value depends on, such as <c>pricing:p-1</c>.</param>
/// <param name="Type">Source-generated metadata of the value's type. Requests share the value, so the type must be immutable.</param>
public readonly record struct FragmentRequest<T>(
    string Key,
    CacheScope Scope,
    Caller Caller,
    TimeSpan Fresh,
    TimeSpan Stale,
    IReadOnlyList<string> Tags,
    JsonTypeInfo<T> Type
)
{
    /// <summary>
    /// How long after <see cref="Fresh"/> the value is served while one call in the background renews it (stale-while-revalidate, RFC
    /// 5861).
    /// </summary>
    public TimeSpan Revalidate { get; init; }

    /// <summary>The values of client headers that the answer depends on; mostly empty. See <c>Upstreams:&lt;name&gt;:VaryBy</c>.</summary>
    public string? Variant { get; init; }

    /// <summary>
    /// How long a good answer is kept. <see cref="Stale"/> and <see cref="Revalidate"/> both begin when <see cref="Fresh"/> ends.
    /// </summary>
    public TimeSpan Life => Fresh + (Stale > Revalidate ? Stale : Revalidate);

    /// <summary>Whether good answers are kept.</summary>
    public bool IsKept => Life > TimeSpan.Zero;
}
