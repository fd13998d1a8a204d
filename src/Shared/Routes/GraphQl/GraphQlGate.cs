using System.Text.Json;
using System.Text.Unicode;
using Bff.Configuration;
using Bff.Edge;
using Bff.RateLimiting;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Model;

namespace Bff.Routes.GraphQl;

/// <summary>Feature of a request that contains only queries, so that it may be repeated and hedged although it is a POST.</summary>
internal sealed record GraphQlRead;

/// <summary>
/// Checks a GraphQL request before it goes to its service (GraphQL over HTTP):
/// 1. it is read, from a JSON body or from the query of a GET, and rejected if a service could read it differently; 2. every operation must
/// obey the route's rules;
/// 3. a mutation is a write: it must be a POST and allowed by the caller's plan; 4. the caller is charged the cost of each operation; 5.
/// the request is forwarded unchanged, or with the document filled in if the client named it by id.
/// </summary>
internal sealed class GraphQlGate(Reloadable<ProxyRoutes> routes, RateLimiter limiter)
{
    /// <summary>Maximum size of a request, that is, documents with their variables. It is read as a whole.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Maximum number of operations in a request.</summary>
    public const int MaxOperations = 10;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    public async Task Pass(HttpContext context, RequestDelegate next)
    {
        var route = context.Features.GetRequiredFeature<IReverseProxyFeature>().Route.Config.RouteId;
        if (!routes.Current.GraphQl.TryGetValue(route, out var rules))
        {
            throw new ProblemException(new Problem(ProblemCodes.NotFound)); // A reload has just removed the route.
        }

        var request = context.Request;
        var isPost = HttpMethods.IsPost(request.Method);
        if (!isPost && !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            throw Refused(context, "GET, POST", "Send a GraphQL request as GET or POST.");
        }

        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true })
        {
            throw GraphQlDocument.Malformed(
                "This endpoint does not accept operations over a WebSocket. Send a subscription as a request, "
                    + "and its events arrive as text/event-stream."
            );
        }

        var asked = isPost ? await ReadBody(context, rules) : ReadQuery(request, rules); // 1., 2.
        if (asked.IsWrite)
        {
            if (!isPost)
            {
                throw Refused(context, "POST", "Send a mutation as POST.");
            }

            if (limiter.PlanOf(BffRequest.Of(context)).IsReadOnly) // 3.
            {
                throw new ProblemException(
                    new Problem(ProblemCodes.EndpointNotInPlan)
                    {
                        Detail = "The plan allows reads only. Change to a plan that allows writes.",
                    }
                );
            }
        }
        else if (!asked.IsStream)
        {
            context.Features.Set(new GraphQlRead());
        }

        if (context.Features.Get<OpenCharge>() is not null && await limiter.Charge(context, asked.Cost) is { } tooMany) // 4.
        {
            await tooMany.ExecuteAsync(context);
            return;
        }

        await next(context); // 5.
    }

    private static async Task<Asked> ReadBody(HttpContext context, GraphQlRules rules)
    {
        var request = context.Request;
        if (!JsonBody.IsJson(request))
        {
            throw new ProblemException(new Problem(ProblemCodes.UnsupportedMediaType));
        }

        foreach (var name in request.Query.Keys)
        {
            if (Array.Exists(GraphQlOperation.Members, m => m.Equals(name, StringComparison.OrdinalIgnoreCase)))
            {
                // Some services would take a parameter of the address instead.
                throw GraphQlDocument.Malformed("A POST may have no GraphQL parameters in its address. Send them in the body.");
            }
        }

        if (request.ContentLength > MaxBytes)
        {
            throw new ProblemException(new Problem(ProblemCodes.PayloadTooLarge));
        }

        if (
            context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit
            && limit.MaxRequestBodySize is null or > MaxBytes
        )
        {
            limit.MaxRequestBodySize = MaxBytes;
        }

        var body = await RequestBody.Read(context, context.RequestAborted);
        if (!Utf8.IsValid(body.Span))
        {
            throw GraphQlDocument.Malformed("The body is not UTF-8.");
        }

        try
        {
            using var json = JsonDocument.Parse(body, Strict);
            var (asked, completed) = Read(json.RootElement, rules);
            if (completed is not null)
            {
                BffRequest.Of(context).Held = HeldBody.Of(completed);
            }

            return asked;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an invalid escape, such as half of a surrogate pair.
            throw GraphQlDocument.Malformed("The body is not well-formed JSON, has a member twice or is nested too deeply.");
        }
    }

    /// <summary>Reads one operation or a batch; also returns the whole rewritten body if a document had to be filled in.</summary>
    private static (Asked Asked, byte[]? Completed) Read(JsonElement root, GraphQlRules rules)
    {
        if (root.ValueKind != JsonValueKind.Array)
        {
            var (document, cost, missing) = GraphQlOperation.Read(root).Resolve(rules);
            return (new Asked().With(document, cost, rules), missing is null ? null : Completion.Of(root, [missing]));
        }

        if (root.GetArrayLength() is 0 or > MaxOperations)
        {
            throw GraphQlDocument.Malformed($"A batch must have 1 to {MaxOperations} operations.");
        }

        var asked = new Asked();
        var texts = new List<string?>();
        foreach (var operation in root.EnumerateArray())
        {
            var (document, cost, missing) = GraphQlOperation.Read(operation).Resolve(rules);
            asked = asked.With(document, cost, rules);
            texts.Add(missing);
        }

        return (asked, texts.TrueForAll(static t => t is null) ? null : Completion.Of(root, texts));
    }

    /// <summary>Reads the query and rewrites it from what was read, because services differ in how they parse a query.</summary>
    private static Asked ReadQuery(HttpRequest request, GraphQlRules rules)
    {
        string? text = null,
            id = null,
            hash = null;
        var parameters = new List<KeyValuePair<string, string?>>();
        foreach (var (name, values) in request.Query)
        {
            var known = GraphQlOperation.NameOf(name);
            if (values is not [{ } value])
            {
                throw GraphQlDocument.Malformed("The address has a parameter twice.");
            }

            switch (known)
            {
                case "query":
                    text = value;
                    continue; // Added last, whether it comes from the client or from the list.
                case "documentId" or "id":
                    id = id is null ? value : throw GraphQlDocument.Malformed("The request has two ids.");
                    break;
                case "variables" or "extensions":
                    hash ??= HashIn(known, value);
                    break;
                default:
                    break;
            }

            parameters.Add(new(name, value));
        }

        var (document, cost, missing) = GraphQlOperation.Of(text, id, hash).Resolve(rules);
        if (missing is not null)
        {
            parameters.RemoveAll(static p => p.Key is "documentId" or "id" or "extensions");
        }

        parameters.Add(new("query", missing ?? text));
        request.QueryString = new QueryString(
            "?" + string.Join('&', parameters.Select(static p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value ?? "")}"))
        );
        return new Asked().With(document, cost, rules);
    }

    private static string? HashIn(string name, string value)
    {
        if (value.Length == 0)
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(value, Strict);
            return json.RootElement.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null)
                    ? throw GraphQlDocument.Malformed($"The parameter {name} must be a JSON object.")
                : name == "extensions" ? GraphQlOperation.HashOf(json.RootElement)
                : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or ArgumentException)
        {
            throw GraphQlDocument.Malformed($"The parameter {name} is not well-formed JSON, or has a member twice.");
        }
    }

    private static ProblemException Refused(HttpContext context, string allow, string detail)
    {
        context.Response.Headers.Allow = allow;
        return new(new Problem(ProblemCodes.MethodNotAllowed) { Detail = detail });
    }

    /// <summary>Sum of what the operations of a request ask for.</summary>
    private readonly record struct Asked(bool IsWrite, bool IsStream, long Aliases, int Cost)
    {
        public Asked With(GraphQlDocument document, int cost, GraphQlRules rules)
        {
            var aliases = Aliases + document.Aliases;
            rules.CheckAliases(aliases);
            return new(IsWrite || document.IsWrite, IsStream || document.IsStream, aliases, (int)Math.Min(int.MaxValue, (long)Cost + cost));
        }
    }
}
