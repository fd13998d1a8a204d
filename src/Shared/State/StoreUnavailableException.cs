namespace Bff.State;

/// <summary>
/// The shared store did not answer within <c>State:Timeout</c>, or is known to be unavailable. The edge answers with 503
/// <c>store_unavailable</c> unless the exception is caught.
/// </summary>
/// <param name="inner">The cause; null when nothing was tried.</param>
#pragma warning disable CA1032 // The message is always the same.
public sealed class StoreUnavailableException(Exception? inner = null) : StoreException("The store is unavailable.", inner);
#pragma warning restore CA1032
