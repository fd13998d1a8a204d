using System.Net.Http.Metrics;
using Bff.Concurrency;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.AspNetCore.Http;

namespace Bff.Routes;

/// <summary>Sends a proxied request. A missing answer becomes a <see cref="GatewayResponse"/>.</summary>
internal sealed class PassThroughHandler(string upstream, UpstreamSender sender, UpstreamRegistry registry, TimeProvider time)
    : HttpMessageHandler
{
    /// <summary>For whom the request is sent; set by the request transform.</summary>
    public static readonly HttpRequestOptionsKey<BffRequest> Origin = new("bff.origin");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.Options.TryGetValue(Origin, out var origin))
        {
            throw new InvalidOperationException("The request did not come through the gateway's transforms.");
        }

        request.Options.Set(AnswerAddresses.Service, upstream);
        if (origin.HttpContext?.Features.Get<GrpcCall>() is { } call)
        {
            return await SendCall(request, origin, call, cancellationToken);
        }

        var deadline = DeadlineOf(origin);
        // The answer to a keyed write is kept and served again: it must have come whole, and in time, before any of it counts.
        // A repeat may accept other codings than the first request: the gateway compresses it for each of them.
        var isWhole = Repeatable.IsRepeatable(request) && !Repeatable.IsRead(request);
        if (isWhole)
        {
            request.Headers.Remove("Accept-Encoding");
        }

        var sent = await Send(request, origin, isWhole, deadline, cancellationToken);
        if (isWhole && sent.Response is not null)
        {
            sent.Body.ShowHeaders();
        }

        if (sent.Place is { } place)
        {
            origin.HttpContext!.Response.RegisterForDispose(place); // However the answer ends.
        }

        return Answer(sent);
    }

    /// <summary>
    /// A gRPC call is sent once, as it comes. Until its answer begins it has the service's time-out, or what is left of the client's own
    /// deadline: when that passes first, the client no longer waits, which says nothing about the service.
    /// </summary>
    private async Task<HttpResponseMessage> SendCall(
        HttpRequestMessage request,
        BffRequest origin,
        GrpcCall call,
        CancellationToken cancellationToken
    )
    {
        request.Options.Set(Repeatable.Once, true);
        if (call.Left(time) is not { } left || left.TotalMilliseconds >= int.MaxValue)
        {
            return Answer(await Send(request, origin, isWhole: false, DeadlineOf(origin), cancellationToken));
        }

        request.Options.Set(GrpcStatus.HasClientDeadline, true);
        using var late = new CancellationTokenSource(left, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            return Answer(await Send(request, origin, isWhole: false, DeadlineOf(origin), either.Token));
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new GatewayResponse(UpstreamOutcome.Timeout, retryAfter: null);
        }
    }

    private static HttpResponseMessage Answer(in Sent sent) => sent.Response ?? new GatewayResponse(sent.Outcome, sent.RetryAfter);

    private Deadline DeadlineOf(BffRequest origin)
    {
        var most = registry.Find(upstream, origin)?.Options is { } options
            ? options.Timeout * (options.Retries + 2)
            : TimeSpan.FromSeconds(1);
        return Deadline.In(most, time);
    }

    /// <summary>
    /// A body that turns out to be flawed while it is sent on ends the call as a client does who goes away: it says nothing about the
    /// service.
    /// </summary>
    private async ValueTask<Sent> Send(
        HttpRequestMessage request,
        BffRequest origin,
        bool isWhole,
        Deadline deadline,
        CancellationToken cancellationToken
    )
    {
        if (request.Content is not { } proxied)
        {
            return await sender.Send(upstream, request, origin, isWhole ? BodyUse.Whole : BodyUse.Streamed, deadline, cancellationToken);
        }

        if (origin.Held is { } held)
        {
            request.Content = new HeldContent(held, proxied.Headers);
            return await sender.Send(upstream, request, origin, isWhole ? BodyUse.Whole : BodyUse.Streamed, deadline, cancellationToken);
        }

        if (origin.HttpContext?.Features.Get<ArrivingBody>() is { } arriving)
        {
            request.Content = new ArrivingContent(proxied, arriving);
            HttpMetricsEnrichmentContext.AddCallback(
                request,
                measured =>
                {
                    if (
                        origin.BodyFault is not null
                        || arriving.Context.RequestAborted.IsCancellationRequested
                        || arriving.Context.Features.Get<GrpcCall>()?.Left(time) == TimeSpan.Zero
                    )
                    {
                        measured.AddCustomTag("bff.client_fault", true); // The measured error rate is the service's.
                    }
                }
            );
        }

        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        origin.BodyFailed = failed;
        try
        {
            return await sender.Send(upstream, request, origin, isWhole ? BodyUse.Whole : BodyUse.Streamed, deadline, failed.Token);
        }
        catch (OperationCanceledException) when (origin.BodyFault is { } fault)
        {
            throw new BadHttpRequestException(fault.Message, fault.StatusCode, fault); // The proxy answers with its status.
        }
        finally
        {
            origin.BodyFailed = null;
        }
    }
}
