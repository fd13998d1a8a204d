using System.Text.Json.Serialization.Metadata;
using Bff.Requests;

namespace Bff.Caching;

/// <summary>What is looked up, for whom, for how long it may be kept, and what invalidates it.</summary>
/// <param name="Key">Names the value within its scope, such as <c>pricing:p-1</c>: everything that the answer depends on beside the scope
/// and the type.</param>
/// <param name="Scope">Who may see it. Never widened: without a tenant the tenant's scope becomes the caller's, and an anonymous caller's
/// own reads are not shared at all.</param>
/// <param name="Caller">Whose tenant and subject <paramref name="Scope"/> refers to. Sandbox callers share nothing with others, in any
/// scope.</param>
/// <param name="Fresh">How long it is served without asking the upstream; zero: not kept, but identical reads in flight are one
/// call.</param>
/// <param name="Stale">How long after that it may stand in for an upstream that fails (stale-if-error, RFC 5861); never for one that
/// answers.</param>
/// <param name="Tags">What it depends on, such as <c>pricing:p-1</c>.</param>
/// <param name="Type">Source-generated metadata of the kept value, which is shared between requests: immutable.</param>
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
    /// How long after <see cref="Fresh"/> it is served while one call behind the answer renews it (stale-while-revalidate, RFC 5861).
    /// </summary>
    public TimeSpan Revalidate { get; init; }

    /// <summary>
    /// What of the client's headers the answer depends on; empty for nearly all. See <c>Upstreams:&lt;name&gt;:VaryBy</c>.
    /// </summary>
    public string? Variant { get; init; }

    /// <summary>
    /// How long a good answer is kept: <see cref="Stale"/> and <see cref="Revalidate"/> both begin where <see cref="Fresh"/> ends.
    /// </summary>
    public TimeSpan Life => Fresh + (Stale > Revalidate ? Stale : Revalidate);

    /// <summary>Whether a good answer is kept.</summary>
    public bool IsKept => Life > TimeSpan.Zero;
}
