using Bff.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;

namespace Bff.Routes;

/// <summary>
/// Forwards the body of a service's answer as it arrives:
/// 1. the response is not buffered; 2. silence ends it after the route's <c>IdleTimeout</c>; 3. the head is sent at once if the body is not
/// there yet.
/// </summary>
internal sealed class StreamingTransform(TimeProvider time) : ResponseTransform
{
    public override async ValueTask ApplyAsync(ResponseTransformContext context)
    {
        if (context.SuppressResponseBody || context.ProxyResponse is not { } answer || !HasBody(answer, context.HttpContext.Request))
        {
            return;
        }

        // 1
        var response = context.HttpContext.Response;
        context.HttpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();

        // 2
        var content = answer.Content;
        var idle = IdleTimeout(context.HttpContext, answer);
        var call = context.HttpContext.Features.Get<GrpcCall>();
        var isHeadAlone = call is not null && GrpcStatus.Of(answer) is not null;
        var received = await content.ReadAsStreamAsync(context.CancellationToken);
        answer.Content = new RelayedBody(
            content,
            call is not null ? new GrpcAnswer(received, context.HttpContext, call, idle, time) : new IdleTimeoutStream(received, idle, time)
        );
        if (isHeadAlone)
        {
            return; // A head with a status is the whole answer, and must be sent as one.
        }

        // 3
        var body = await answer.Content.ReadAsStreamAsync(context.CancellationToken);
        // Completes when there is something to read, and reads nothing.
        var first = body.ReadAsync(Memory<byte>.Empty, context.CancellationToken);
        try
        {
            if (!first.IsCompleted)
            {
                await response.Body.FlushAsync(context.CancellationToken);
            }

            await first;
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException or OperationCanceledException)
        {
            // The copy of the body meets the same error and decides what the client is told.
        }
    }

    internal static TimeSpan IdleTimeout(HttpContext context, HttpResponseMessage answer) =>
        RouteParser.IdleTimeoutOf(context.Features.Get<IReverseProxyFeature>()?.Route.Config)
        ?? (AnswerType.IsLongLived(answer.Content) ? IdleTimeouts.Stream : IdleTimeouts.Answer);

    private static bool HasBody(HttpResponseMessage answer, HttpRequest request) =>
        (int)answer.StatusCode is >= 200 and not (204 or 205 or 304)
        && answer.Content.Headers.ContentLength != 0
        && !HttpMethods.IsHead(request.Method)
        && !HttpMethods.IsConnect(request.Method);
}
