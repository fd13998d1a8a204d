using Bff.State;

namespace Bff.Idempotency;

/// <summary>
/// Stores which keyed requests have been sent, and their answers. A record is kept for <see cref="IdempotencyOptions.Retention"/>. It holds
/// the request's fingerprint, a lock with an owner and an end, and the answer once there is one.
/// </summary>
public interface IIdempotencyStore
{
    /// <summary>
    /// Takes the key for <paramref name="owner"/>, or says why not, in one step. A lock whose end has passed no longer counts: the process
    /// that held it has died, and the request is sent to the service again under the same key. From this call on, no lock lasts longer than
    /// a lease, even if the store's clock has gone back since it was taken.
    /// </summary>
    /// <param name="key">Hash of scope and key.</param>
    /// <param name="fingerprint">Fingerprint of the request.</param>
    /// <param name="owner">Name of the owner, unique per attempt.</param>
    /// <param name="fencingToken">
    /// For a part of a keyed request: the <see cref="IdempotencyClaim.FencingToken"/> of the whole request. A lock with a smaller token
    /// ends at once, because its owner has lost the whole request. A lock with this token or a greater one stays. 0: the request is not
    /// part of another.
    /// </param>
    /// <param name="cancellation">Cancels the request.</param>
    /// <exception cref="StoreUnavailableException">The store is away. Every other member throws it too.</exception>
    ValueTask<IdempotencyClaim> Claim(string key, string fingerprint, string owner, long fencingToken, CancellationToken cancellation);

    /// <summary>Extends the lock. Returns false if another owner has it by now.</summary>
    ValueTask<bool> Renew(string key, string owner, CancellationToken cancellation);

    /// <summary>
    /// Stores the answer and gives the lock back. If another owner's answer to the same request is already stored, that answer stays and is
    /// returned. If the store has lost the key and another request has it now, nothing is stored and null is returned.
    /// </summary>
    ValueTask<StoredAnswer?> Complete(string key, string fingerprint, string owner, StoredAnswer answer, CancellationToken cancellation);

    /// <summary>Gives the lock back without an answer.</summary>
    /// <param name="key">The key, as claimed.</param>
    /// <param name="owner">The owner, as claimed.</param>
    /// <param name="keepFingerprint">
    /// True if the service may have seen the request: the key stays bound to it. False forgets the key, unless an earlier attempt bound it.
    /// </param>
    /// <param name="cancellation">Cancels the clean-up.</param>
    ValueTask Release(string key, string owner, bool keepFingerprint, CancellationToken cancellation);
}

/// <summary>Outcome of a claim.</summary>
public enum ClaimOutcome
{
    /// <summary>The request may be sent; the key is locked.</summary>
    Taken,

    /// <summary>Another copy of the request is being served.</summary>
    InFlight,

    /// <summary>The key belongs to another request.</summary>
    Mismatch,

    /// <summary>The request has already been answered.</summary>
    Answered,
}

/// <summary>Answer to a claim.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Answer">The stored answer. Only with <see cref="ClaimOutcome.Answered"/>.</param>
/// <param name="FencingToken">
/// The fencing token, greater than that of every earlier owner. Only with <see cref="ClaimOutcome.Taken"/>.
/// </param>
public readonly record struct IdempotencyClaim(ClaimOutcome Outcome, StoredAnswer? Answer = null, long FencingToken = 0);
