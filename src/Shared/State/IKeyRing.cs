namespace Bff.State;

/// <summary>One secret of a <see cref="IKeyRing"/>.</summary>
/// <param name="Id">Id that is stored with the signed or encrypted data; URL-safe and reveals nothing about the secret.</param>
/// <param name="Material">64 random bytes: the first half for encryption and the second for signing, or all of them for
/// HMAC-SHA-512.</param>
public sealed record RingKey(string Id, ReadOnlyMemory<byte> Material)
{
    /// <inheritdoc />
    public override string ToString() => Id; // The material is never printed.
}

/// <summary>
/// Holds the secrets that the instances share and that survive restarts. Each purpose (<c>cursors</c>, <c>sync</c>, <c>sessions</c>,
/// <c>assertions</c>) has its own keys. A new key becomes current every 30 days, and the two older keys still verify.
/// </summary>
public interface IKeyRing
{
    /// <summary>
    /// Returns the key to sign or encrypt with. Completes synchronously except at the first use and an occasional refresh.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Redis is unavailable and this instance has never read the key.</exception>
    ValueTask<RingKey> Current(string purpose, CancellationToken cancellation = default);

    /// <summary>
    /// Returns the key to verify or decrypt with, or null when it is unknown or too old. Asks the store for unknown ids at most once a
    /// second.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Redis is unavailable and this instance has never read the purpose's keys.</exception>
    ValueTask<RingKey?> Find(string purpose, string id, CancellationToken cancellation = default);

    /// <summary>Returns all keys that still verify, the current one first. Used to publish the public keys.</summary>
    /// <exception cref="StoreUnavailableException">As for <see cref="Current"/>.</exception>
    ValueTask<IReadOnlyList<RingKey>> All(string purpose, CancellationToken cancellation = default);
}
