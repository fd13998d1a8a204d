namespace Bff.Edge;

/// <summary>
/// What a host decides in code about its edge: <c>builder.Services.Configure&lt;EdgeOptions&gt;(…)</c>. Operators decide the rest in
/// configuration.
/// </summary>
public sealed class EdgeOptions
{
    /// <summary>
    /// Whether a client's sampled flag, <c>tracestate</c> and <c>baggage</c> are used. Default true. Set it to false where clients are
    /// other companies: their trace ids are kept, but they decide neither what is sampled here nor what is sent to the services.
    /// </summary>
    public bool TrustTraceContext { get; set; } = true;
}
