using System.Text.Json;
using Bff.Edge;
using Bff.Idempotency;
using Bff.RateLimiting;
using Bff.Requests;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using PartnerBff.Usage;

namespace PartnerBff.Agents;

/// <summary>
/// Serves <c>POST /mcp</c>: one message of an agent. 1. Pages from other origins are refused, because DNS rebinding can make this host part
/// of a foreign site. 2. The body is one JSON-RPC message, parsed strictly, so that the message that is charged is the one that the
/// protocol library serves. 3. The call of a tool becomes a request of its operation, and is charged as such; 4. any other message costs
/// one unit.
/// 5. The protocol library answers.
/// </summary>
internal sealed class AgentEndpoint(AgentTools tools, AgentServer server, ICorsPolicyProvider origins, RateLimiter limiter)
{
    // Far more than the largest request of any operation; a message is held completely, and several times.
    private const long MaxBytes = 4 * 1024 * 1024;

    // A client that numbers its messages gives them the same ids as every other client, so shorter ids are no idempotency keys.
    private const int ShortestKey = 16;

    private static readonly Problem ForeignOrigin = new(ProblemCodes.Forbidden)
    {
        Detail = "Pages of this origin may not call this endpoint.",
    };

    private static readonly Problem NotAcceptable = new(ProblemCodes.NotAcceptable)
    {
        Detail = "Send an Accept header with both application/json and text/event-stream.",
    };

    public async Task Post(HttpContext context)
    {
        if (!await IsOwnOrigin(context))
        {
            await ForeignOrigin.ExecuteAsync(context);
            return;
        }

        if (!Accepts(context, "application/json") || !Accepts(context, "text/event-stream"))
        {
            await NotAcceptable.ExecuteAsync(context);
            return;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { MaxRequestBodySize: null or > MaxBytes })
        {
            BodyLimit.Set(context, MaxBytes);
        }

        var body = await JsonBody.Read(context, AgentJson.Default.AgentMessage, context.RequestAborted);
        if (!body.TryGet(out var message, out var problem))
        {
            await problem.ExecuteAsync(context);
            return;
        }

        var call = await Prepare(context, message);
        if (call.Request is null && await limiter.Charge(context, 1) is { } tooMany)
        {
            await tooMany.ExecuteAsync(context);
            return;
        }

        context.Features.Set(call);
        try
        {
            await server.Serve(context, message);
        }
        finally
        {
            if (call.IsSent)
            {
                RateLimiter.ChargeElsewhere(context);
                context.Features.Set(CountedElsewhere.Instance);
            }
        }
    }

    private async Task<AgentCall> Prepare(HttpContext context, AgentMessage message)
    {
        switch (message.Method)
        {
            case "tools/list":
                return new() { Listed = await tools.For(context) };
            case "tools/call"
                when message.Params is { ValueKind: JsonValueKind.Object } call
                    && call.TryGetProperty("name", out var name)
                    && name.ValueKind == JsonValueKind.String
                    && (await tools.All).TryGetValue(name.GetString()!, out var tool):
                var arguments = call.TryGetProperty("arguments", out var given) ? given : default;
                tool.TryMake(arguments, KeyOf(message.Id), out var request, out var problem);
                return new()
                {
                    Tool = tool,
                    Request = request,
                    Problem = problem,
                };
            default:
                return new();
        }
    }

    private static string? KeyOf(JsonElement id) =>
        id.ValueKind == JsonValueKind.String && id.GetString() is { Length: >= ShortestKey } key && IdempotencyKey.IsKey(key) ? key : null;

    private async ValueTask<bool> IsOwnOrigin(HttpContext context) =>
        context.Request.Headers.Origin switch
        {
            [] => true,
            [{ } origin] => (await origins.GetPolicyAsync(context, null))?.IsOriginAllowed(origin) == true,
            _ => false,
        };

    private static bool Accepts(HttpContext context, string type)
    {
        foreach (var accepted in context.Request.GetTypedHeaders().Accept)
        {
            if (accepted.MatchesMediaType(type))
            {
                return true;
            }
        }

        return false;
    }
}
