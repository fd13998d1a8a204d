using Bff.Edge;

namespace Bff.Upstreams;

/// <summary>For whom an upstream is called and for how long: handed to a typed client's methods by the composer.</summary>
/// <param name="Request">The request that is being served: its caller's identity headers and ids go upstream.</param>
/// <param name="DeadlineTimestamp"><see cref="TimeProvider.GetTimestamp"/> at which the part's, or the request's, time is up.</param>
/// <param name="Cancellation">Cancelled when the request's deadline has passed, another required part failed, or the client has gone.</param>
public readonly record struct CallContext(BffRequest Request, long DeadlineTimestamp, CancellationToken Cancellation);
