using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.Concurrency;
using Bff.RateLimiting;
using Bff.Requests;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using ModelContextProtocol.Protocol;
using PartnerBff.OpenApi;

namespace PartnerBff.Agents;

/// <summary>
/// The operations of v1 as tools, generated from this host's own contract. This happens once, at the first request, because it takes time
/// and memory that a host without agents need not spend.
/// </summary>
internal sealed class AgentTools(
    [FromKeyedServices(AgentTools.Version)] IOpenApiDocumentProvider contract,
    IEnumerable<EndpointDataSource> endpoints,
    RateLimiter limiter
)
{
    /// <summary>Version of the API; what an agent learns about a tool holds as long as the version does.</summary>
    public const string Version = "v1";

    private static readonly FrozenSet<string> ReadOnly = FrozenSet.Create("GET", "HEAD");

    private readonly Lock _lock = new();
    private Task<FrozenDictionary<string, AgentTool>>? _all;

    /// <summary>All tools by name.</summary>
    public Task<FrozenDictionary<string, AgentTool>> All
    {
        get
        {
            var all = _all;
            if (all is null or { IsFaulted: true } or { IsCanceled: true })
            {
                lock (_lock)
                {
                    all = _all is null or { IsFaulted: true } or { IsCanceled: true } ? _all = Make() : _all;
                }
            }

            return all;
        }
    }

    /// <summary>Returns the tools that the request's caller may call, by its current scopes, plan and tenant.</summary>
    public async Task<IReadOnlyList<Tool>> For(HttpContext context)
    {
        var caller = BffRequest.Of(context).Caller;
        return
        [
            .. (await All)
                .Values.Where(t =>
                    t.Endpoint.Metadata.GetOrderedMetadata<CallerRule>().All(r => r.Scope is not { } scope || caller.HasScope(scope))
                    && limiter.RefusalOf(context, t.Endpoint) is null
                )
                .Select(t => t.Told)
                .OrderBy(t => t.Name, StringComparer.Ordinal),
        ];
    }

    private async Task<FrozenDictionary<string, AgentTool>> Make()
    {
        var document = JsonNode
            .Parse(
                await (await contract.GetOpenApiDocumentAsync(CancellationToken.None)).SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1)
            )!
            .AsObject();
        var schemas = new ToolSchemas(document["components"]?["schemas"]?.AsObject() ?? []);
        var serving = endpoints
            .SelectMany(s => s.Endpoints)
            .OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<IEndpointGroupNameMetadata>()?.EndpointGroupName == Version)
            .Where(e => e.Metadata.GetMetadata<OperationDoc>() is not null)
            .ToDictionary(e => e.Metadata.GetMetadata<EndpointName>()!.Name, StringComparer.Ordinal);
        return document["paths"]!
            .AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(o => Make(path.Key, o.Key, o.Value!.AsObject(), schemas, serving)))
            .ToFrozenDictionary(t => t.Told.Name, StringComparer.Ordinal);
    }

    private static AgentTool Make(
        string path,
        string method,
        JsonObject operation,
        ToolSchemas schemas,
        Dictionary<string, RouteEndpoint> serving
    )
    {
        var name = (string)operation["operationId"]!;
        var endpoint = serving[name];
        method = method.ToUpperInvariant();
        var input = schemas.InputOf(operation, out var arguments, out var hasBody);
        var summary = (string)operation["summary"]!;
        return new(
            new Tool
            {
                Name = name,
                Title = summary,
                Description = $"{summary}. {(string?)operation["description"]}",
                InputSchema = input,
                OutputSchema = schemas.OutputOf(operation),
                Annotations = Hints(method, endpoint.Metadata.GetMetadata<OperationDoc>()!),
            },
            endpoint,
            method,
            path,
            arguments,
            hasBody
        );
    }

    /// <summary>Returns the hints. Without one, the protocol treats an operation as destructive; one that only adds is not.</summary>
    private static ToolAnnotations Hints(string method, OperationDoc doc) =>
        new()
        {
            ReadOnlyHint = ReadOnly.Contains(method),
            DestructiveHint = !ReadOnly.Contains(method) && (method != "POST" || doc.IsDestructive),
            IdempotentHint = ReadOnly.Contains(method) || method is "PUT" or "DELETE" || doc.Key == true,
        };
}
