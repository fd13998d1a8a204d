namespace Bff.Edge;

/// <summary>
/// What a host decides in code about its edge: <c>builder.Services.Configure&lt;EdgeOptions&gt;(…)</c>. What operators decide is in
/// configuration.
/// </summary>
public sealed class EdgeOptions
{
    /// <summary>
    /// Whether a client's sampled flag, <c>tracestate</c> and <c>baggage</c> are believed. False where clients are other companies: they
    /// keep their trace id, but do not decide what is sampled here nor what travels to the services. Default true.
    /// </summary>
    public bool TrustTraceContext { get; set; } = true;
}
