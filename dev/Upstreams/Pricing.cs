using System.Text;
using System.Text.Json;
using Bff.Dev.Upstreams.Prices;
using GraphQL;
using GraphQL.SystemTextJson;
using GraphQL.Transport;
using GraphQL.Types;

namespace Bff.Dev.Upstreams;

/// <summary>
/// Serves <c>POST /graphql</c> with <c>pricing(productId)</c> and <c>prices(productIds)</c>. A failure is a 200 with <c>errors</c>.
/// </summary>
public sealed class Pricing() : SampleService("pricing")
{
    private static readonly GraphQLSerializer Serializer = new();
    private static readonly DocumentExecuter Executer = new();
    private static readonly ISchema Schema = new PricingSchema();

    /// <summary>
    /// Completes when the schema has been built and queried once; otherwise a caller's first query would take longer than a gateway waits.
    /// </summary>
    internal static Task Warmed { get; } =
        Task.Run(() =>
            ExecuteAsync(
                new()
                {
                    Query = "query($id: ID!) { pricing(productId: $id) { discount { percentage } } }",
                    Variables = Serializer.Deserialize<Inputs>("""{"id":"p-1"}"""),
                },
                CancellationToken.None
            )
        );

    internal override Task HandleAsync(Exchange exchange) =>
        (exchange.Request.Method, exchange.Segments) switch
        {
            ("POST", ["graphql"]) => QueryAsync(exchange),
            (_, ["graphql"]) => Answer.MethodNotAllowedAsync(exchange, "POST"),
            _ => Answer.NotFoundAsync(exchange),
        };

    private static async Task QueryAsync(Exchange exchange)
    {
        if (Read(exchange) is not { Query: not null } request)
        {
            await Answer.ProblemAsync(exchange, 400, "malformed_request", "Send { query, variables } as JSON.");
            return;
        }

        await Answer.JsonAsync(exchange, await ExecuteAsync(request, exchange.Context.RequestAborted));
    }

    private static GraphQLRequest? Read(Exchange exchange)
    {
        try
        {
            return Serializer.Deserialize<GraphQLRequest>(Encoding.UTF8.GetString(exchange.Body.Span));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ExecuteAsync(GraphQLRequest request, CancellationToken ct)
    {
        var result = await Executer.ExecuteAsync(
            new ExecutionOptions
            {
                Schema = Schema,
                Query = request.Query,
                Variables = request.Variables,
                OperationName = request.OperationName,
                CancellationToken = ct,
            }
        );
        using var written = new MemoryStream();
        await Serializer.WriteAsync(written, result, ct);
        return written.ToArray();
    }
}
