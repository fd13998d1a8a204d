namespace Bff.State;

/// <summary>
/// The shared store did not do an operation or did not confirm it. The edge answers with 503 <c>store_unavailable</c> unless the exception
/// is caught.
/// </summary>
/// <param name="message">Message for the log.</param>
/// <param name="inner">The cause; null when nothing was tried.</param>
#pragma warning disable CA1032 // Derived types define the messages.
public abstract class StoreException(string message, Exception? inner) : Exception(message, inner);

/// <summary>
/// The store answers but refuses this operation: its user lacks the right, or the key has another type. Other operations may still succeed.
/// </summary>
/// <param name="inner">The store's error reply.</param>
public sealed class StoreRefusedException(Exception inner) : StoreException("The store refused the operation.", inner);
#pragma warning restore CA1032
