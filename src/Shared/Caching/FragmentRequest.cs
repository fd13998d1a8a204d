using System.Text.Json.Serialization.Metadata;
using Bff.Callers;

namespace Bff.Caching;

/// <summary>What is looked up, for whom, for how long it may be kept, and what invalidates it.</summary>
/// <param name="Key">Names the value within its scope, such as <c>pricing:p-1</c>: everything that the answer depends on beside the scope and the type.</param>
/// <param name="Scope">Who may see it. Never widened: without a tenant the tenant's scope becomes the caller's, and an anonymous caller's own reads are not shared at all.</param>
/// <param name="Caller">Whose tenant and subject <paramref name="Scope"/> refers to. Sandbox callers share nothing with others, in any scope.</param>
/// <param name="Fresh">How long it is served without asking the upstream; zero: not kept, but identical reads in flight are one call.</param>
/// <param name="Stale">How much longer it may stand in while it is refreshed or the upstream fails (RFC 5861).</param>
/// <param name="Tags">What it depends on, such as <c>pricing:p-1</c>.</param>
/// <param name="Type">Source-generated metadata of the kept value, which is shared between requests: immutable.</param>
public readonly record struct FragmentRequest<T>(
    string Key, CacheScope Scope, Caller Caller, TimeSpan Fresh, TimeSpan Stale, IReadOnlyList<string> Tags, JsonTypeInfo<T> Type)
{
    /// <summary>Whether a good answer is kept.</summary>
    public bool IsKept => Fresh > TimeSpan.Zero || Stale > TimeSpan.Zero;
}
