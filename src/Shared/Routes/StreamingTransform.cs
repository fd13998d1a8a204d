using Bff.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;

namespace Bff.Routes;

/// <summary>
/// The body of a service's answer goes on as it comes:
/// 1. nothing before the client holds it; 2. silence ends it after the route's <c>IdleTimeout</c>; 3. a head whose body is not there yet
/// goes out at once.
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
            return; // A head with the status in it is the whole answer, and must go out as one.
        }

        // 3
        var body = await answer.Content.ReadAsStreamAsync(context.CancellationToken);
        // Ends when there is something to read, and takes nothing.
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
            // The copying of the body meets it again, and decides what the client is told.
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
