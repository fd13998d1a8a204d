using Bff.Requests;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bff.Edge;

/// <summary>Turns every exception of later stages and every error status without a body into a problem document.</summary>
internal sealed partial class ProblemsMiddleware(RequestDelegate next, ILogger<ProblemsMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has disconnected. The access log should not report a success.
            if (GrpcForms.Of(context) is not GrpcForm.None)
            {
                RpcOutcome.Note(context, GrpcCode.Cancelled);
            }

            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            }

            return;
        }
        catch (BadHttpRequestException malformed)
        {
            if (BffRequest.Of(context).BodyFault is not null && HttpProtocol.IsHttp11(context.Request.Protocol))
            {
                context.Response.Headers.Connection = "close"; // The start of the next request is unknown.
            }

            await ProblemWriter.Write(context, new Problem(ProblemCodes.ForStatus(malformed.StatusCode) ?? ProblemCodes.MalformedRequest));
            return;
        }
        catch (Exception refused) when (ExceptionProblem.Of(refused) is { } problem)
        {
            await ProblemWriter.Write(context, problem);
            return;
        }
#pragma warning disable CA1031 // This is the last handler of all exceptions.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(logger, unexpected, BffRequest.Of(context).RequestId);
            await ProblemWriter.Write(context, new Problem(ProblemCodes.InternalError));
            return;
        }

        var response = context.Response;
        if (
            !response.HasStarted
            && response.StatusCode >= 400
            && response.ContentType is null
            && response.ContentLength is null or 0
            && context.Features.Get<IStatusCodePagesFeature>() is not { Enabled: false }
            && ProblemCodes.ForStatus(response.StatusCode) is { } code
        )
        {
            await ProblemWriter.Write(context, new Problem(code));
        }
    }

    [LoggerMessage(
        1201,
        LogLevel.Error,
        "Request {RequestId} failed because of an unexpected error; it is answered with 500, or cut off if its answer had begun",
        EventName = "RequestFailedUnexpectedly"
    )]
    private static partial void LogUnexpected(ILogger logger, Exception exception, string requestId);
}
