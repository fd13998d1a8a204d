namespace Bff.State;

/// <summary>
/// The shared store did not answer within <c>State:Timeout</c>, or is known to be away. Answered with 503 <c>store_unavailable</c> unless
/// caught.
/// </summary>
/// <param name="inner">What failed; null when nothing was tried.</param>
#pragma warning disable CA1032 // What the client is told is always the same.
public sealed class StoreUnavailableException(Exception? inner = null) : StoreException(inner);
#pragma warning restore CA1032
