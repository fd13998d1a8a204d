using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>
/// For answers that are made once for everybody, such as pictures: what of the client's headers keeps them apart
/// (<c>Upstreams:&lt;name&gt;:VaryBy</c>).
/// </summary>
public sealed class SharedReads
{
    private readonly UpstreamSender _sender;

    internal SharedReads(UpstreamSender sender) => _sender = sender;

    /// <summary>What an upstream's answers vary by: names of the client's headers, that of its canary's choice among them.</summary>
    public IReadOnlyList<string> VaryBy(string upstream, BffRequest request)
    {
        var told = _sender.VaryBy(upstream, request);
        return _sender.CanaryHeader(upstream, request) is { } canary ? [.. told, canary] : told;
    }

    /// <summary>What keeps such answers apart; null for nearly all.</summary>
    public string? VariantFor(string upstream, BffRequest request) =>
        ClientHeaders.Variant(Varying(upstream, request), _sender.CanariesOf(request));

    /// <summary>The request for such an answer.</summary>
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
