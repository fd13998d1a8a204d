using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>
/// Determines the client's headers by which answers vary that are fetched once for everybody, such as images
/// (<c>Upstreams:&lt;name&gt;:VaryBy</c>).
/// </summary>
public sealed class SharedReads
{
    private readonly UpstreamSender _sender;

    internal SharedReads(UpstreamSender sender) => _sender = sender;

    /// <summary>
    /// Returns the names of the client's headers by which an upstream's answers vary, including the one that selects its canary.
    /// </summary>
    public IReadOnlyList<string> VaryBy(string upstream, BffRequest request)
    {
        var told = _sender.VaryBy(upstream, request);
        return _sender.CanaryHeader(upstream, request) is { } canary ? [.. told, canary] : told;
    }

    /// <summary>Returns the key that separates such answers; null in nearly all cases.</summary>
    public string? VariantFor(string upstream, BffRequest request) =>
        ClientHeaders.Variant(Varying(upstream, request), _sender.CanariesOf(request));

    /// <summary>Returns the request with which to fetch such an answer.</summary>
    public BffRequest ForEverybody(string upstream, BffRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        _sender.CanariesOf(request);
        return request.ForEverybody(Varying(upstream, request));
    }

    private KeyValuePair<string, string>[] Varying(string upstream, BffRequest request) =>
        _sender.VaryBy(upstream, request) is { Count: > 0 } varyBy
            ? ClientHeaders.Only(_sender.ClientHeadersFor(upstream, request), varyBy)
            : [];
}
