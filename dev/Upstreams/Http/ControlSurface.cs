using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Bff.Dev.Upstreams.Calls;
using Bff.Dev.Upstreams.Faults;

namespace Bff.Dev.Upstreams;

/// <summary>
/// Serves <c>POST /__faults</c>, <c>GET /__calls</c> and <c>DELETE /__calls</c> on every port. <c>?service=</c> names another service, so
/// that a client without HTTP/2 need not use the catalogue's own port.
/// </summary>
internal static class ControlSurface
{
    public static async Task ServeAsync(HttpContext context, SampleService service)
    {
        var exchange = await Exchange.ReceiveAsync(context);
        await (
            (context.Request.Method, exchange.Segments) switch
            {
                ("POST", ["__faults"]) => SetAsync(exchange, service),
                ("DELETE", ["__faults"]) => HealAsync(exchange, service),
                ("GET", ["__calls"]) => ListAsync(exchange, service),
                ("DELETE", ["__calls"]) => ClearAsync(exchange, service),
                _ => Answer.NotFoundAsync(exchange),
            }
        );
    }

    private static Task SetAsync(Exchange exchange, SampleService service)
    {
        try
        {
            service.Faults.Set(JsonSerializer.Deserialize(exchange.Body.Span, ControlJson.Default.Fault) ?? new Fault());
            return Answer.NoContentAsync(exchange);
        }
        catch (JsonException e)
        {
            return Answer.ProblemAsync(exchange, 400, "malformed_request", e.Message);
        }
    }

    private static Task HealAsync(Exchange exchange, SampleService service)
    {
        service.Faults.Heal();
        return Answer.NoContentAsync(exchange);
    }

    private static Task ClearAsync(Exchange exchange, SampleService service)
    {
        service.Calls.Clear();
        return Answer.NoContentAsync(exchange);
    }

    private static Task ListAsync(Exchange exchange, SampleService service) =>
        Answer.JsonAsync(
            exchange,
            JsonSerializer.SerializeToUtf8Bytes(new CallList([.. service.Calls.All.Select(View)]), ControlJson.Default.CallList)
        );

    private static CallView View(RecordedCall call) =>
        new(
            call.Order,
            call.Service,
            call.StartedAt,
            call.Method,
            call.Path,
            call.Query,
            call.Protocol,
            // Lower case as in HTTP/2, because the server has its own spelling of well-known names.
            call.Headers.ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value.ToString()),
            call.BodyText,
            call.Ended.IsCompleted,
            call.Aborted
        );
}

internal sealed record CallList(CallView[] Calls);

internal sealed record CallView(
    long Order,
    string Service,
    DateTimeOffset StartedAt,
    string Method,
    string Path,
    string Query,
    string Protocol,
    Dictionary<string, string> Headers,
    string Body,
    bool Ended,
    bool Aborted
);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Fault))]
[JsonSerializable(typeof(CallList))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class ControlJson : JsonSerializerContext;
