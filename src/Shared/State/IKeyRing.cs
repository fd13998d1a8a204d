namespace Bff.State;

/// <summary>One secret of a <see cref="IKeyRing"/>.</summary>
/// <param name="Id">Goes beside what it signs or encrypts; URL-safe, says nothing about the secret.</param>
/// <param name="Material">64 random bytes: the first half for encryption, the second for signing, or all of it for HMAC-SHA-512.</param>
public sealed record RingKey(string Id, ReadOnlyMemory<byte> Material)
{
    /// <inheritdoc />
    public override string ToString() => Id; // The material is never printed.
}

/// <summary>
/// Secrets that the instances share and that survive their restarts. Each purpose (<c>cursors</c>, <c>sync</c>, <c>sessions</c>,
/// <c>assertions</c>) has its own; a new one takes over every 30 days, and the older two go on verifying.
/// </summary>
public interface IKeyRing
{
    /// <summary>The key to sign or encrypt with. Completes synchronously but for the first use and an occasional refresh.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away and this instance has never seen the key.</exception>
    ValueTask<RingKey> Current(string purpose, CancellationToken cancellation = default);

    /// <summary>
    /// The key to verify or decrypt with; null when it is unknown or too old. Asks the store at most once a second for ids it does not
    /// know.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Redis is away and this instance has never seen the purpose's keys.</exception>
    ValueTask<RingKey?> Find(string purpose, string id, CancellationToken cancellation = default);

    /// <summary>All keys that still verify, the current one first; for publishing the public halves.</summary>
    /// <exception cref="StoreUnavailableException">As for <see cref="Current"/>.</exception>
    ValueTask<IReadOnlyList<RingKey>> All(string purpose, CancellationToken cancellation = default);
}
