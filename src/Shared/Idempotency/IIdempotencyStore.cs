using Bff.State;

namespace Bff.Idempotency;

/// <summary>
/// Which keyed requests have been sent and what came of them. A record is kept for <see cref="IdempotencyOptions.Retention"/>; it holds the
/// request's fingerprint, a lock with an owner and an end, and after the answer the answer.
/// </summary>
public interface IIdempotencyStore
{
    /// <summary>
    /// In one step: takes the key for <paramref name="owner"/>, or says why not. A lock whose end has passed is its owner's no longer: the
    /// process that held it has died, and the request goes to the service again under the same key. No lock stands for longer than a lease
    /// from here on, also when the store's clock has gone back since it was taken.
    /// </summary>
    /// <param name="key">Scope and key, hashed.</param>
    /// <param name="fingerprint">Of the request.</param>
    /// <param name="owner">Unique per attempt.</param>
    /// <param name="fencingToken">
    /// For a part of a keyed request: the <see cref="IdempotencyClaim.FencingToken"/> of the whole. A lock with a smaller token is over at
    /// once, for its owner has lost the whole; one with this token or a greater one stands. 0: the request is not part of another.
    /// </param>
    /// <param name="cancellation">The request's.</param>
    /// <exception cref="StoreUnavailableException">The store is away; the same holds for every other member.</exception>
    ValueTask<IdempotencyClaim> Claim(string key, string fingerprint, string owner, long fencingToken, CancellationToken cancellation);

    /// <summary>Moves the lock's end away; false when the lock is another's by now.</summary>
    ValueTask<bool> Renew(string key, string owner, CancellationToken cancellation);

    /// <summary>
    /// Keeps the answer and gives the lock back. When another owner's answer to the same request is there already that one stands, and is
    /// returned. Where the store has lost the key and another request has it now, nothing is kept, and its answer is not returned.
    /// </summary>
    ValueTask<StoredAnswer?> Complete(string key, string fingerprint, string owner, StoredAnswer answer, CancellationToken cancellation);

    /// <summary>Gives the lock back without an answer.</summary>
    /// <param name="key">As claimed.</param>
    /// <param name="owner">As claimed.</param>
    /// <param name="keepFingerprint">True when the service may have seen the request: the key stays bound to it. False forgets the key,
    /// unless an earlier attempt bound it.</param>
    /// <param name="cancellation">The clean-up's own.</param>
    ValueTask Release(string key, string owner, bool keepFingerprint, CancellationToken cancellation);
}

/// <summary>What became of a claim.</summary>
public enum ClaimOutcome
{
    /// <summary>The request may be sent; the key is locked.</summary>
    Taken,

    /// <summary>Another copy is being served.</summary>
    InFlight,

    /// <summary>The key belongs to another request.</summary>
    Mismatch,

    /// <summary>It has been answered.</summary>
    Answered,
}

/// <summary>The answer to a claim.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Answer">The stored answer; only with <see cref="ClaimOutcome.Answered"/>.</param>
/// <param name="FencingToken">Only with <see cref="ClaimOutcome.Taken"/>. It is greater than the token of every earlier owner.</param>
public readonly record struct IdempotencyClaim(ClaimOutcome Outcome, StoredAnswer? Answer = null, long FencingToken = 0);
