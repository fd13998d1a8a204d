using System.Net;
using System.Net.Http.Metrics;
using Bff.Concurrency;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.AspNetCore.Http;

namespace Bff.Routes;

/// <summary>
/// Sends a proxied request and converts its result into a message for the proxy. A status of 500 and above comes from the gateway: 502 for
/// the service's own 5xx, and the problem's status if there is no answer.
/// </summary>
internal sealed class PassThroughHandler(string upstream, UpstreamSender sender, UpstreamRegistry registry, TimeProvider time)
    : HttpMessageHandler
{
    /// <summary>The client's request; set by the request transform.</summary>
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
        // The answer to a keyed write is kept and served again, so it must arrive completely and in time before any of it counts. A repeat
        // may accept other codings than the first request; the gateway compresses the answer for each of them.
        var isWhole = Repeatable.IsRepeatable(request) && !Repeatable.IsRead(request);
        if (isWhole)
        {
            request.Headers.Remove("Accept-Encoding");
        }

        var sent = await Send(request, origin, isWhole, deadline, cancellationToken);
        if (sent.Body is { } body)
        {
            PassWhole(sent.Response!, body);
            origin.HttpContext!.Response.RegisterForDispose(body);
        }

        if (sent.Place is { } place)
        {
            origin.HttpContext!.Response.RegisterForDispose(place); // Released whichever way the answer ends.
        }

        return Message(sent);
    }

    /// <summary>
    /// Sends a gRPC call once, while it arrives. The answer must begin within the service's timeout and the client's own deadline. If the
    /// client's deadline passes first, the failure does not count against the service.
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
            return Message(await Send(request, origin, isWhole: false, DeadlineOf(origin), cancellationToken));
        }

        request.Options.Set(GrpcStatus.HasClientDeadline, true);
        using var late = new CancellationTokenSource(left, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            return Message(await Send(request, origin, isWhole: false, DeadlineOf(origin), either.Token));
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return Message(new Sent(null, UpstreamOutcome.Timeout, RetryAfter: null, FromFallback: false));
        }
    }

    private static HttpResponseMessage Message(in Sent sent)
    {
        if (sent.Response is not { } answer)
        {
            var problem = sent.ToProblem();
            var none = new HttpResponseMessage((HttpStatusCode)problem.Code.Status);
            if (problem.RetryAfterSeconds is { } delay)
            {
                none.Headers.RetryAfter = new(TimeSpan.FromSeconds(delay));
            }

            return none;
        }

        if ((int)answer.StatusCode >= 500)
        {
            (answer.StatusCode, answer.ReasonPhrase) = (HttpStatusCode.BadGateway, null);
        }

        return answer;
    }

    /// <summary>Replaces the content by a body that was read completely, with the headers that describe it.</summary>
    private static void PassWhole(HttpResponseMessage answer, BufferedBody body)
    {
        var whole = new ReadOnlyMemoryContent(body.Memory);
        foreach (var (name, values) in answer.Content.Headers.NonValidated)
        {
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                whole.Headers.TryAddWithoutValidation(name, values);
            }
        }

        _ = whole.Headers.ContentLength; // Computes the length, so that it is among the headers that are copied.
        answer.Content.Dispose();
        answer.Content = whole;
    }

    private Deadline DeadlineOf(BffRequest origin)
    {
        var most = registry.Find(upstream, origin)?.Options is { } options
            ? options.Timeout * (options.Retries + 2)
            : TimeSpan.FromSeconds(1);
        return Deadline.In(most, time);
    }

    private ValueTask<Sent> Send(
        HttpRequestMessage request,
        BffRequest origin,
        bool isWhole,
        Deadline deadline,
        CancellationToken cancellationToken
    )
    {
        var body = isWhole ? BodyUse.Whole : BodyUse.Streamed;
        if (request.Content is { } proxied)
        {
            if (origin.Held is not { } held)
            {
                return SendArriving(request, proxied, origin, body, deadline, cancellationToken);
            }

            request.Content = new HeldContent(held, proxied.Headers);
        }

        return sender.Send(upstream, request, origin, body, deadline, cancellationToken);
    }

    /// <summary>
    /// Sends a body while it arrives. If the body turns out to be faulty, the call ends as if the client had disconnected, and does not
    /// count against the service.
    /// </summary>
    private async ValueTask<Sent> SendArriving(
        HttpRequestMessage request,
        HttpContent proxied,
        BffRequest origin,
        BodyUse body,
        Deadline deadline,
        CancellationToken cancellationToken
    )
    {
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
                        measured.AddCustomTag("bff.client_fault", true); // The measured error rate is that of the service alone.
                    }
                }
            );
        }

        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        origin.BodyFailed = failed;
        try
        {
            return await sender.Send(upstream, request, origin, body, deadline, failed.Token);
        }
        catch (OperationCanceledException) when (origin.BodyFault is { } fault)
        {
            throw new BadHttpRequestException(fault.Message, fault.StatusCode, fault); // The proxy answers with this status.
        }
        finally
        {
            origin.BodyFailed = null;
        }
    }
}
