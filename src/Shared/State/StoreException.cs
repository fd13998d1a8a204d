namespace Bff.State;

/// <summary>
/// The shared store has not done what it was asked, or has not said so. The edge answers with 503 <c>store_unavailable</c> unless it is
/// caught.
/// </summary>
/// <param name="message">What has happened, for the log.</param>
/// <param name="inner">What failed; null when nothing was tried.</param>
#pragma warning disable CA1032 // Its kinds say what has happened.
public abstract class StoreException(string message, Exception? inner) : Exception(message, inner);

/// <summary>
/// The store is there and refuses this operation: its user may not do it, or the key is of another type. What else is asked of it may well
/// be done.
/// </summary>
/// <param name="inner">What it answered.</param>
public sealed class StoreRefusedException(Exception inner) : StoreException("The store refused the operation.", inner);
#pragma warning restore CA1032
