using System.Text.Json;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace PartnerBff.Tests.Agents;

/// <summary>Agents at a real host, by the protocol's official client or by single messages.</summary>
public abstract class AgentTest(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    protected static Task<McpClient> Connect(PartnerHost host, string credential, string? revision = null, HttpClient? http = null) =>
        McpClient.CreateAsync(
            new HttpClientTransport(
                new()
                {
                    Endpoint = new(host.Address, "/mcp"),
                    TransportMode = HttpTransportMode.StreamableHttp,
                    AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = "Bearer " + credential },
                },
                http ?? host.NewClient(),
                ownsHttpClient: true
            ),
            new() { ProtocolVersion = revision }
        );

    /// <summary>Creates a key of the tenant with only these scopes.</summary>
    protected static async Task<string> Scoped(PartnerHost host, string credential, params string[] scopes) =>
        (string)(await MakeKey(host, credential, "live", scopes))["key"]!;

    protected static async Task<CallToolResult> Call(
        McpClient client,
        string tool,
        object? arguments = null,
        CancellationToken cancellation = default
    )
    {
        var given = JsonSerializer.SerializeToElement(arguments ?? new { });
        return await client.CallToolAsync(
            tool,
            given.EnumerateObject().ToDictionary(a => a.Name, a => (object?)a.Value),
            cancellationToken: cancellation
        );
    }

    /// <summary>Returns the arguments of a call that places an order.</summary>
    protected static object Arguments(string key, string product = "p-1", string? reference = null) =>
        new
        {
            idempotency_key = key,
            currency = "EUR",
            reference = reference ?? key,
            items = new[] { new { product_id = product, quantity = 1 } },
        };

    protected static JsonObject Ok(CallToolResult result)
    {
        Assert.False(result.IsError, Text(result));
        var structured = JsonNode.Parse(result.StructuredContent!.Value.GetRawText())!.AsObject();
        Assert.True(JsonNode.DeepEquals(structured, JsonNode.Parse(Text(result))));
        return structured;
    }

    protected static JsonObject Refused(PartnerHost host, CallToolResult result, int status, string code)
    {
        Assert.True(result.IsError, Text(result));
        Assert.Null(result.StructuredContent); // A problem would not match the tool's output schema.
        host.Leaks.CheckErrorBody("/mcp", Text(result));
        var problem = JsonNode.Parse(Text(result))!.AsObject();
        Assert.Equal((code, status), ((string)problem["code"]!, (int)problem["status"]!));
        Assert.Equal((code, status), ((string)result.Meta!["code"]!, (int)result.Meta["status"]!));
        return problem;
    }

    protected static string Text(CallToolResult result) => Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text;

    protected static string? Header(CallToolResult result, string name) => (string?)result.Meta!["headers"]![name];

    /// <summary>Posts one message exactly as it goes over the wire.</summary>
    protected static Task<HttpResponseMessage> Post(
        PartnerHost host,
        string? credential,
        string message,
        Action<HttpRequestMessage>? change = null,
        CancellationToken cancellation = default
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/mcp")
        {
            Content = new StringContent(message, new MediaTypeHeaderValue("application/json")),
        };
        if (credential is not null)
        {
            request.Headers.Authorization = new("Bearer", credential);
        }

        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        request.Headers.TryAddWithoutValidation("MCP-Protocol-Version", "2025-11-25");
        change?.Invoke(request);
        return host.Client.SendAsync(request, cancellation);
    }

    protected static string Message(string method, object? parameters = null, object? id = null) =>
        JsonSerializer.Serialize(
            new
            {
                jsonrpc = "2.0",
                id = id ?? 1,
                method,
                @params = parameters ?? new { },
            }
        );

    protected static string CallMessage(string tool, object? arguments = null, object? id = null) =>
        Message("tools/call", new { name = tool, arguments = arguments ?? new { } }, id);

    /// <summary>Returns the result in the answer.</summary>
    protected static async Task<JsonObject> Result(HttpResponseMessage response)
    {
        var answer = await Answer(response);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{(int)response.StatusCode}: {answer}");
        return answer["result"]?.AsObject() ?? throw new InvalidOperationException(answer.ToJsonString());
    }

    /// <summary>Returns the answer's message, which is the body or the only event of a stream.</summary>
    protected static async Task<JsonObject> Answer(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        var isStream = response.Content.Headers.ContentType?.MediaType == "text/event-stream";
        return JsonNode
            .Parse(isStream ? text.Split('\n').Single(l => l.StartsWith("data: ", StringComparison.Ordinal))[6..] : text)!
            .AsObject();
    }

    /// <summary>Returns the error code of a refused call, or null for a call that succeeded.</summary>
    protected static async Task<string?> CodeOf(Task<HttpResponseMessage> answer)
    {
        using var response = await answer;
        return (string?)(await Result(response))["_meta"]!["code"];
    }
}
