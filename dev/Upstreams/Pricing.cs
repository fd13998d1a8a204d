using System.Buffers;
using System.Text.Json;
using Bff.Dev.Upstreams.Data;
using Bff.Dev.Upstreams.GraphQL;

namespace Bff.Dev.Upstreams;

/// <summary><c>POST /graphql</c> with <c>pricing(productId)</c> and <c>prices(productIds)</c>. What fails is a 200 with <c>errors</c>.</summary>
public sealed class Pricing() : SampleService("pricing")
{
    private const int MaxIds = 200;

    internal override Task HandleAsync(Exchange exchange) => (exchange.Request.Method, exchange.Segments) switch
    {
        ("POST", ["graphql"]) => QueryAsync(exchange),
        (_, ["graphql"]) => Answer.MethodNotAllowedAsync(exchange, "POST"),
        _ => Answer.NotFoundAsync(exchange),
    };

    private static Task QueryAsync(Exchange exchange)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        try
        {
            using var body = JsonDocument.Parse(exchange.Body);
            if (body.RootElement.ValueKind != JsonValueKind.Object || !body.RootElement.TryGetProperty("query", out var query) || query.ValueKind != JsonValueKind.String)
                return Answer.ProblemAsync(exchange, 400, "malformed_request", "Send { query, variables }.");
            var variables = body.RootElement.TryGetProperty("variables", out var given) ? given : default;
            using var writer = new Utf8JsonWriter(output);
            Execute(writer, QueryReader.Read(query.GetString()!, variables));
        }
        catch (JsonException)
        {
            return Answer.ProblemAsync(exchange, 400, "malformed_request", "The body is not JSON.");
        }
        catch (GraphQLException e)
        {
            output.Clear();
            using var writer = new Utf8JsonWriter(output);
            writer.WriteStartObject();
            WriteErrors(writer, [(e.Message, null)], "GRAPHQL_VALIDATION_FAILED");
            writer.WriteEndObject();
        }
        return Answer.JsonAsync(exchange, output.WrittenMemory);
    }

    private static void Execute(Utf8JsonWriter writer, IReadOnlyList<Field> fields)
    {
        var errors = new List<(string, string?)>();
        writer.WriteStartObject();
        writer.WriteStartObject("data");
        foreach (var field in fields)
        {
            writer.WritePropertyName(field.Alias);
            switch (field.Name)
            {
                case "__typename":
                    writer.WriteStringValue("Query");
                    break;
                case "pricing":
                    var id = field.Arguments.GetValueOrDefault("productId") as string ?? throw new GraphQLException("pricing needs productId: ID!.");
                    if (Shop.IndexOf(id) is >= 0 and var index) WritePrice(writer, field, Shop.Prices[index]);
                    else
                    {
                        writer.WriteNullValue();
                        errors.Add(("There is no such product.", field.Alias));
                    }
                    break;
                case "prices":
                    WritePrices(writer, field);
                    break;
                default:
                    throw new GraphQLException($"Query has no field '{field.Name}'.");
            }
        }
        writer.WriteEndObject();
        if (errors.Count > 0) WriteErrors(writer, errors, "NOT_FOUND");
        writer.WriteEndObject();
    }

    private static void WritePrices(Utf8JsonWriter writer, Field field)
    {
        // A single value stands for a list of one (GraphQL, list input coercion).
        string[] ids = field.Arguments.GetValueOrDefault("productIds") switch
        {
            string one => [one],
            List<object?> many when many.All(id => id is string) => [.. many.Cast<string>()],
            _ => throw new GraphQLException("prices needs productIds: [ID!]!."),
        };
        if (ids.Length > MaxIds) throw new GraphQLException($"At most {MaxIds} products in one query.");
        writer.WriteStartArray();
        foreach (var index in Shop.IndexesOf(ids)) WritePrice(writer, field, Shop.Prices[index]);
        writer.WriteEndArray();
    }

    private static void WritePrice(Utf8JsonWriter writer, Field field, Price price)
    {
        if (field.Selections.Count == 0) throw new GraphQLException($"'{field.Name}' needs a selection.");
        writer.WriteStartObject();
        foreach (var member in field.Selections)
        {
            writer.WritePropertyName(member.Alias);
            switch (member.Name)
            {
                case "productId": writer.WriteStringValue(price.ProductId); break;
                case "current": writer.WriteNumberValue(price.Current); break;
                case "currency": writer.WriteStringValue(price.Currency); break;
                case "discount": WriteDiscount(writer, member, price.Discount); break;
                case "__typename": writer.WriteStringValue("Price"); break;
                default: throw new GraphQLException($"Price has no field '{member.Name}'.");
            }
        }
        writer.WriteEndObject();
    }

    private static void WriteDiscount(Utf8JsonWriter writer, Field field, Discount? discount)
    {
        if (field.Selections.Count == 0) throw new GraphQLException("'discount' needs a selection.");
        if (discount is null)
        {
            writer.WriteNullValue();
            return;
        }
        writer.WriteStartObject();
        foreach (var member in field.Selections)
        {
            writer.WritePropertyName(member.Alias);
            switch (member.Name)
            {
                case "percentage": writer.WriteNumberValue(discount.Percentage); break;
                case "validUntil": writer.WriteStringValue(discount.ValidUntil.UtcDateTime); break;
                case "__typename": writer.WriteStringValue("Discount"); break;
                default: throw new GraphQLException($"Discount has no field '{member.Name}'.");
            }
        }
        writer.WriteEndObject();
    }

    private static void WriteErrors(Utf8JsonWriter writer, IEnumerable<(string Message, string? Path)> errors, string code)
    {
        writer.WriteStartArray("errors");
        foreach (var (message, path) in errors)
        {
            writer.WriteStartObject();
            writer.WriteString("message", message);
            if (path is not null)
            {
                writer.WriteStartArray("path");
                writer.WriteStringValue(path);
                writer.WriteEndArray();
            }
            writer.WriteStartObject("extensions");
            writer.WriteString("code", code);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
