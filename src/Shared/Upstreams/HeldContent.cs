using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Metrics;
using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Upstreams;

/// <summary>A body that was read completely and can be sent as often as needed.</summary>
internal sealed class HeldContent : HttpContent
{
    private readonly HeldBody _body;

    public HeldContent(HeldBody body, HttpContentHeaders described)
    {
        _body = body;
        foreach (var (name, values) in described.NonValidated)
        {
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                Headers.TryAddWithoutValidation(name, values);
            }
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, default);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _body.CopyTo(stream, cancellationToken).AsTask();

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length;
        return true;
    }
}

/// <summary>A body that is forwarded once, while it arrives; the proxy copies it.</summary>
internal sealed class ArrivingContent : HttpContent
{
    private readonly HttpContent _proxied;

    public ArrivingContent(HttpContent proxied, ArrivingBody body)
    {
        (_proxied, Body) = (proxied, body);
        foreach (var (name, values) in proxied.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    public ArrivingBody Body { get; }

    /// <summary>Tags the metric of a request that the client has spoilt, so that the error rate is the service's alone.</summary>
    public void TellFaults(HttpRequestMessage request)
    {
        var context = Body.Context;
        var origin = BffRequest.Of(context);
        HttpMetricsEnrichmentContext.AddCallback(
            request,
            measured =>
            {
                if (origin.BodyFault is not null || context.RequestAborted.IsCancellationRequested)
                {
                    measured.AddCustomTag("bff.client_fault", true);
                }
            }
        );
    }

    /// <summary>Reads the body to its end; returns null if its size is unlimited, because it cannot be held.</summary>
    public async ValueTask<HeldContent?> Held()
    {
        var context = Body.Context;
        return context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { MaxRequestBodySize: null }
            ? null
            : new(await RequestBody.Hold(context, context.RequestAborted), Headers);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, default);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Body.GoesTo(stream);
        ServiceStream.Sends.Value = Body;
        await _proxied.CopyToAsync(stream, context, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
