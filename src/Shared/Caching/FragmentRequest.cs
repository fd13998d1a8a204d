using System.Text.Json.Serialization.Metadata;

namespace Bff.Caching;

/// <summary>What is looked up, for whom, for how long it may be kept, and what invalidates it.</summary>
/// <param name="Key">Names the value within its scope, such as <c>pricing:p-1</c>; prefixed by the cache with host and scope.</param>
/// <param name="Scope">Who may see it.</param>
/// <param name="Owner">The tenant, or tenant and subject, that <paramref name="Scope"/> refers to; empty for public.</param>
/// <param name="Fresh">How long it is served without asking the upstream.</param>
/// <param name="Stale">How much longer it may stand in while it is refreshed or the upstream fails.</param>
/// <param name="Tags">What it depends on, such as <c>pricing:p-1</c>.</param>
/// <param name="Type">Source-generated metadata of the kept value.</param>
public readonly record struct FragmentRequest<T>(
    string Key, CacheScope Scope, string Owner, TimeSpan Fresh, TimeSpan Stale, IReadOnlyList<string> Tags, JsonTypeInfo<T> Type);
