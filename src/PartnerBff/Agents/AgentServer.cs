using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace PartnerBff.Agents;

/// <summary>
/// Hosts the protocol library (Model Context Protocol, streamable HTTP), which handles framing and protocol revisions. There are no
/// sessions, so any instance can serve any message. The library's services are created at the first message and separately from the host's
/// services, so a host without agents loads none of them.
/// </summary>
internal sealed class AgentServer(AgentCalls calls, ILoggerFactory logging, IHostApplicationLifetime host) : IAsyncDisposable
{
    private const string Instructions =
        "The tools are the operations of the Partner API, version 1. A call that fails is answered with a problem document: rely on its code. "
        + "An operation with an idempotency_key runs once per key: use a new key for each operation, and the same key when you repeat it. "
        + "Lists answer has_more and next_cursor; pass the latter as cursor. Each call counts against the credential's limits; "
        + "after rate_limit_exceeded, quota_exceeded, overloaded and upstream_unavailable wait for as many seconds as Retry-After says.";

    /// <summary>The answer to a message with an invalid id or version. The id of the answer is null (JSON-RPC 2.0 section 5).</summary>
    private const string InvalidRequest = """
        {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"jsonrpc must be the string 2.0, and id must be a string or a whole number."}}
        """;

    private const string InvalidParams = "The parameters do not match the method.";

    private readonly Lock _lock = new();
    private ServiceProvider? _services;
    private RequestDelegate? _serve;

    /// <summary>
    /// Answers a message whose request has an <see cref="AgentCall"/>. The library reports unreadable parameters as an internal error, and
    /// those of <c>initialize</c>, which it reads first, as an unexpected exception. Both are mistakes of the client and are answered as
    /// such.
    /// </summary>
    /// <param name="context">The request that contains the message.</param>
    /// <param name="message">The message.</param>
    public async Task Serve(HttpContext context, AgentMessage message)
    {
        if (!IsId(message.Id) || message.Jsonrpc.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.String))
        {
            // The library's own error would reveal its type names.
            await Results.Text(InvalidRequest, "application/json", statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context);
            return;
        }

        try
        {
            await Serving()(context);
        }
        catch (JsonException) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await Results
                .Json(
                    new JsonRpcError
                    {
                        Id = message.Id.Deserialize(TypeOf<RequestId>()),
                        Error = new() { Code = (int)McpErrorCode.InvalidParams, Message = InvalidParams },
                    },
                    TypeOf<JsonRpcError>()
                )
                .ExecuteAsync(context);
        }
    }

    public ValueTask DisposeAsync() => _services?.DisposeAsync() ?? default;

    private static bool IsId(JsonElement id) =>
        id.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.String => true,
            JsonValueKind.Number => id.TryGetInt64(out _),
            _ => false,
        };

    private static JsonTypeInfo<T> TypeOf<T>() => (JsonTypeInfo<T>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(T));

    private RequestDelegate Serving()
    {
        if (_serve is not { } serve)
        {
            lock (_lock)
            {
                serve = _serve ??= Make();
            }
        }

        return serve;
    }

    private RequestDelegate Make()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(logging);
        services.AddSingleton(host);
        services
            .AddMcpServer(server =>
            {
                server.ServerInfo = new()
                {
                    Name = "partner-api",
                    Title = "Partner API",
                    Version = "1.0",
                };
                server.ServerInstructions = Instructions;
                server.Capabilities = new() { Tools = new() };
                server.Filters.Message.IncomingFilters.Add(WithItsCode);
            })
            .WithHttpTransport(transport =>
            {
                transport.SessionMode = HttpServerSessionMode.Stateless;
                transport.ConfigureSessionOptions = (context, server, _) =>
                {
                    Answer(context, server.Handlers);
                    return Task.CompletedTask;
                };
            });
        _services = services.BuildServiceProvider();
        var routes = new Routes(_services);
        routes.MapMcp();
        return routes.DataSources.SelectMany(s => s.Endpoints).Single().RequestDelegate!;
    }

    private static McpMessageHandler WithItsCode(McpMessageHandler next) =>
        async (message, cancellation) =>
        {
            try
            {
                await next(message, cancellation);
            }
            catch (JsonException)
            {
                throw new McpProtocolException(InvalidParams, McpErrorCode.InvalidParams);
            }
        };

    private void Answer(HttpContext context, McpServerHandlers handlers)
    {
        var call = context.Features.Get<AgentCall>()!;
        handlers.ListToolsHandler = (request, _) =>
            request.Params?.Cursor is null
                ? ValueTask.FromResult(new ListToolsResult { Tools = [.. call.Listed ?? []] })
                : throw new McpProtocolException("The list has only one page. Leave out the cursor.", McpErrorCode.InvalidParams);
        handlers.CallToolHandler = (_, cancellation) => calls.Run(context, call, cancellation);
    }

    /// <summary>Collects the one endpoint that the library maps, outside of the host's routing.</summary>
    private sealed class Routes(IServiceProvider services) : IEndpointRouteBuilder
    {
        public IServiceProvider ServiceProvider => services;

        public ICollection<EndpointDataSource> DataSources { get; } = [];

        public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(services);
    }
}
