using Bff.Concurrency;
using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Routes;

/// <summary>
/// Prepares a request on a gRPC route before it is forwarded:
/// 1. a request that is no gRPC call is refused; 2. the client's deadline is read, and a call that is already late is not sent; 3. gRPC-Web
/// is translated to gRPC, and the answer back; 4. each message, not the whole stream, is limited to the size that the caller's plan or the
/// route allows.
/// </summary>
internal static class GrpcCalls
{
    public static void UseGrpcCalls(this IApplicationBuilder proxy) =>
        proxy.Use(
            static (context, next) => context.GetEndpoint()?.Metadata.GetMetadata<GrpcRoute>() is null ? next(context) : Pass(context, next)
        );

    private static async Task Pass(HttpContext context, RequestDelegate next)
    {
        // 1
        var form = GrpcForms.Of(context);
        if (form is GrpcForm.None)
        {
            await ProblemWriter.Write(
                context,
                new Problem(ProblemCodes.UnsupportedMediaType) { Detail = "Send a gRPC call: POST with application/grpc over HTTP/2." }
            );
            return;
        }

        // 2
        var request = BffRequest.Of(context);
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        if (!TryReadDeadline(context.Request.Headers, request.StartTimestamp, time, out var deadline))
        {
            await ProblemWriter.Write(
                context,
                new Problem(ProblemCodes.MalformedRequest)
                {
                    Detail = "The header grpc-timeout must be one to eight digits followed by a unit: H, M, S, m, u or n.",
                }
            );
            return;
        }

        var call = new GrpcCall(form, deadline);
        if (call.Left(time) == TimeSpan.Zero)
        {
            await ProblemWriter.Write(
                context,
                new Problem(ProblemCodes.UpstreamTimeout) { Detail = "The call's own deadline has passed." }
            );
            return;
        }

        context.Features.Set(call);
        try
        {
            await (form is GrpcForm.Plain ? PassPlain(context, next) : PassWeb(context, call, next));
        }
        finally
        {
            if (context.RequestAborted.IsCancellationRequested)
            {
                RpcOutcome.Note(context, GrpcCode.Cancelled);
            }
        }
    }

    private static Task PassPlain(HttpContext context, RequestDelegate next)
    {
        context.Request.Body = new GrpcMessages(context.Request.Body, MaxMessage(context), BffRequest.Of(context)); // 4
        return next(context);
    }

    private static async Task PassWeb(HttpContext context, GrpcCall call, RequestDelegate next)
    {
        // 3
        var request = BffRequest.Of(context);
        var body = call.Form is GrpcForm.WebText ? new Base64Body(context.Request.Body, request) : context.Request.Body;
        context.Request.Body = new GrpcMessages(body, MaxMessage(context), request); // 4
        context.Request.ContentLength = null; // Base64 is longer than the bytes it encodes.
        BodyLimit.Apply(context, null);
        using var answer = new GrpcWebAnswer(context, call.Form);
        await next(context);
        if (call.IsAnswered)
        {
            await answer.Finish();
        }
    }

    private static bool TryReadDeadline(IHeaderDictionary headers, long start, TimeProvider time, out Deadline? deadline)
    {
        deadline = null;
        var named = headers["grpc-timeout"];
        if (named.Count == 0)
        {
            return true;
        }

        if (named.Count > 1 || GrpcTimeout.Parse(named[0]) is not { } timeout)
        {
            return false;
        }

        var ticks = timeout.TotalSeconds * time.TimestampFrequency;
        deadline = ticks < long.MaxValue - start ? new(start + (long)ticks) : null; // Past some 10 000 years: no deadline.
        return true;
    }

    /// <summary>
    /// Returns the server's limit, which the route or the plan has set by now. It applies to whole bodies, and is lifted when a stream is
    /// forwarded.
    /// </summary>
    private static long? MaxMessage(HttpContext context) =>
        context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { } size ? size.MaxRequestBodySize : BodyLimit.DefaultBytes;
}
