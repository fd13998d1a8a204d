using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.Requests;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace PartnerBff.Agents;

/// <summary>Runs the call of a tool as a request of its operation, and converts the answer into the tool's result.</summary>
internal sealed partial class AgentCalls(InnerRequests requests, AgentMetrics metrics, TimeProvider time, ILogger<AgentCalls> logger)
{
    private static readonly Problem TooLarge = new(ProblemCodes.UpstreamFailed)
    {
        Detail = "The answer is larger than the result of a tool may be. Request less at once.",
    };

    /// <summary>The headers of an answer that are relevant to clients.</summary>
    private static readonly string[] Told =
    [
        "X-Request-Id",
        "RateLimit-Policy",
        "RateLimit",
        "Retry-After",
        "Idempotent-Replayed",
        "Location",
        "Deprecation",
        "Sunset",
    ];

    /// <exception cref="McpProtocolException">There is no such tool.</exception>
    /// <exception cref="OperationCanceledException">The client has disconnected, or its credential has expired.</exception>
    public async ValueTask<CallToolResult> Run(HttpContext context, AgentCall call, CancellationToken cancellation)
    {
        if (call.Tool is not { } tool)
        {
            throw new McpProtocolException("There is no such tool.", McpErrorCode.InvalidParams);
        }

        try
        {
            return await Answer(context, call, tool, cancellation);
        }
#pragma warning disable CA1031 // The protocol library would also answer every error, but would not log it.
        catch (Exception unexpected) when (unexpected is not OperationCanceledException)
#pragma warning restore CA1031
        {
            LogUnexpected(logger, unexpected, BffRequest.Of(context).RequestId);
            return Result(await requests.Refuse(context, tool.Unmade, new Problem(ProblemCodes.InternalError), cancellation));
        }
    }

    private async Task<CallToolResult> Answer(HttpContext context, AgentCall call, AgentTool tool, CancellationToken cancellation)
    {
        if (call.Request is not { } request)
        {
            return Result(await requests.Refuse(context, tool.Unmade, call.Problem!, cancellation));
        }

        call.IsSent = true;
        var started = time.GetTimestamp();
        var answer = await requests.Send(context, request, cancellation);
        metrics.Called(tool.Told.Name, answer.Status, time.GetElapsedTime(started));
        if (answer.IsAborted)
        {
            context.Abort(); // The answer itself would have been aborted as well.
            throw new OperationCanceledException();
        }

        return Result(answer is { IsOk: true, IsCutOff: true } ? await requests.Refuse(context, request, TooLarge, cancellation) : answer);
    }

    /// <summary>
    /// Returns the result of a tool. Clients of older revisions read only the text. An error has no structured content, because it would
    /// not match the tool's output schema.
    /// </summary>
    private static CallToolResult Result(InnerAnswer answer)
    {
        var isEmpty = answer.Body.IsEmpty;
        var body = isEmpty ? default : Parse(answer.Body);
        return new()
        {
            IsError = !answer.IsOk,
            Content = [new TextContentBlock { Text = isEmpty ? "Done." : Encoding.UTF8.GetString(answer.Body.Span) }],
            StructuredContent = answer.IsOk && !isEmpty ? body : null,
            Meta = Meta(answer, isEmpty || answer.IsOk ? default : body),
        };
    }

    private static JsonObject Meta(InnerAnswer answer, JsonElement problem)
    {
        var headers = new JsonObject();
        foreach (var name in Told)
        {
            if (answer.Headers.TryGetValue(name, out var values))
            {
                headers.Add(name, JsonValue.Create(values.ToString()));
            }
        }

        var meta = new JsonObject { ["status"] = answer.Status, ["headers"] = headers };
        if (problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty("code", out var code))
        {
            meta["code"] = code.GetString();
        }

        return meta;
    }

    private static JsonElement Parse(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body);
        return document.RootElement.Clone();
    }

    [LoggerMessage(
        3231,
        LogLevel.Error,
        "A tool call of an agent (message {RequestId}) failed because of an unexpected error; the agent receives an error",
        EventName = "AgentCallFailed"
    )]
    private static partial void LogUnexpected(ILogger logger, Exception exception, string requestId);
}
