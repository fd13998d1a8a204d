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
/// <c>POST /mcp</c>: one message of an agent. 1. Pages of other origins are refused: a name that has been bound to another address (DNS
/// rebinding) makes this host one of theirs. 2. The body is one JSON-RPC message, read strictly: what is charged here is what the
/// protocol's code serves. 3. A call of a tool becomes the operation's request, which is charged as such; 4. any other message costs one
/// unit. 5. The protocol's code answers.
/// </summary>
internal sealed class AgentEndpoint(AgentTools tools, AgentServer server, ICorsPolicyProvider origins, RateLimiter limiter)
{
    // Far more than the largest request that an operation takes; a message is held whole, several times.
    private const long MaxBytes = 4 * 1024 * 1024;

    // A client that counts its messages gives all of them the names that every other client gives.
    private const int ShortestKey = 16;

    private static readonly Problem ForeignOrigin = new(ProblemCodes.Forbidden)
    {
        Detail = "Pages of this origin may not call this endpoint.",
    };

    private static readonly Problem NotAcceptable = new(ProblemCodes.NotAcceptable)
    {
        Detail = "Accept both application/json and text/event-stream.",
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
            await server.Serve(context, message.Id);
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
