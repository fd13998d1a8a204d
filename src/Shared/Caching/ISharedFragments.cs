namespace Bff.Caching;

/// <summary>
/// What the instances of a host share of their fragments. Absent without Redis; a test can stand in with a slow or broken one.
/// </summary>
internal interface ISharedFragments
{
    /// <summary>Never throws and never waits longer than <c>State:Timeout</c>; while the store is known to be away, not at all.</summary>
    ValueTask<SharedRead> Read(FragmentKey key, IReadOnlyList<string> tags, CancellationToken cancellation);

    /// <summary>Stores it, counted as read before the upstream was asked; no request waits for this. Never throws.</summary>
    /// <param name="key">Whose value it is.</param>
    /// <param name="versions">The tags' versions that <see cref="Read"/> saw.</param>
    /// <param name="json">The value.</param>
    /// <param name="validators">The service's.</param>
    /// <param name="age">How old it is already.</param>
    /// <param name="life">How long it is kept in all.</param>
    Task Write(FragmentKey key, ulong[] versions, ReadOnlyMemory<byte> json, KeptValidators validators, TimeSpan age, TimeSpan life);

    /// <summary>Drops it; no request waits for this. Never throws.</summary>
    Task Remove(FragmentKey key);

    /// <summary>Makes every value with one of the tags unusable, also one that is written later by a read that began before.</summary>
    Task Invalidate(IReadOnlyCollection<string> tags, CancellationToken cancellation);
}

/// <summary>What the shared store knows.</summary>
/// <param name="Versions">Of the tags, in their order; null when the store did not answer, so nothing may be written to it.</param>
/// <param name="Json">The value; null when there is none that is whole and valid.</param>
/// <param name="Age">Since it was live.</param>
internal readonly record struct SharedRead(ulong[]? Versions, ReadOnlyMemory<byte>? Json, TimeSpan Age)
{
    /// <summary>The service's.</summary>
    public KeptValidators Validators { get; init; }
}
