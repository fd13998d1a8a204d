using Bff.Requests;

namespace Bff.State;

/// <summary>
/// The shared store has not done what it was asked, or has not said so. Answered with 503 <c>store_unavailable</c> unless caught.
/// </summary>
/// <param name="inner">What failed; null when nothing was tried.</param>
#pragma warning disable CA1032 // What the client is told is always the same.
public abstract class StoreException(Exception? inner)
    : ProblemException(new Problem(ProblemCodes.StoreUnavailable) { RetryAfter = TimeSpan.FromSeconds(1) }, inner);

/// <summary>
/// The store is there and refuses this operation: its user may not do it, or the key is of another type. What else is asked of it may well
/// be done.
/// </summary>
/// <param name="inner">What it answered.</param>
public sealed class StoreRefusedException(Exception inner) : StoreException(inner);
#pragma warning restore CA1032
