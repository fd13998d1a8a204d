using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace PartnerBff.Tests.Agents;

/// <summary>Messages that <c>/mcp</c> accepts and refuses.</summary>
public sealed class MessageTests(SharedSurroundings surroundings) : AgentTest(surroundings)
{
    private const string Begin = """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",""";
    private static readonly string List = Message("tools/list");

    [Fact]
    public async Task Nothing_is_answered_without_a_credential()
    {
        var host = Start();

        var anonymous = await Post(host, null, List);
        await Problem(anonymous, 401, "missing_token");
        Assert.StartsWith("Bearer", anonymous.Headers.WwwAuthenticate.Single().ToString(), StringComparison.Ordinal);
        await Problem(await Post(host, ApiKeyFormat.New(isTest: false), List), 401, "invalid_api_key");
        await Problem(await Post(host, null, List, r => r.Headers.Add("Cookie", "portal=x")), 401, "missing_token");
        Assert.NotNull((await Result(await Post(host, null, List, r => r.Headers.Add("X-API-Key", AcmeKey))))["tools"]);
        Assert.Null(await CodeOf(Post(host, null, CallMessage("account"), r => r.Headers.Add("X-API-Key", AcmeKey))));
    }

    [Fact]
    public async Task There_is_no_session_to_listen_to_or_to_end()
    {
        var host = Start();
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Delete, HttpMethod.Put])
        {
            var answer = await Send(host, method, "/mcp", AcmeKey);
            await Problem(answer, 405, "method_not_allowed");
            Assert.Equal(["POST"], answer.Content.Headers.Allow);
        }
    }

    [Fact]
    public async Task Pages_of_other_origins_are_refused_whatever_the_host_is_called()
    {
        var host = Start(new() { ["Cors:Origins:0"] = "https://agents.example" });

        foreach (var origin in (string[])["https://evil.example", "null", host.Address.GetLeftPart(UriPartial.Authority), ""])
        {
            await Problem(await Post(host, AcmeKey, List, r => r.Headers.TryAddWithoutValidation("Origin", origin)), 403, "forbidden");
        }

        await Result(await Post(host, AcmeKey, List, r => r.Headers.Add("Origin", "https://agents.example")));
    }

    [Theory]
    [InlineData("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}]", 400, "malformed_request")] // Batches are no longer valid.
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"method\":\"tools/call\"}", 400, "malformed_request")]
    [InlineData(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"account\",\"name\":\"orders\"}}",
        400,
        "malformed_request"
    )]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", 400, "validation_failed")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"\\ud800\"}}", 400, "malformed_request")]
    [InlineData("{", 400, "malformed_request")]
    [InlineData("", 400, "malformed_request")]
    public async Task A_body_must_be_one_unambiguous_message(string body, int status, string code)
    {
        var host = Start();

        await Problem(await Post(host, AcmeKey, body), status, code);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":[]}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":7}}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"account\",\"arguments\":[]}}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"tools/call\",\"params\":{\"name\":\"account\"}}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sampling/createMessage\",\"params\":{}}")]
    [InlineData("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"tools/list\"}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"tools/list\"}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"sampling/createMessage\"}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"tools/call\",\"params\":{\"name\":\"account\"}}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":7}}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":\"account\"}}")] // A notification gets no answer.
    public async Task A_message_that_means_nothing_does_no_harm(string body)
    {
        var host = Start();

        using var answer = await Post(host, AcmeKey, body);

        Assert.True((int)answer.StatusCode is 200 or 202 or 400, $"{answer.StatusCode}");
        Assert.DoesNotContain("\"structuredContent\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.NotNull((await Result(await Post(host, AcmeKey, List)))["tools"]);
    }

    /// <summary>Requests, each with the error code of its answer; 0 means success.</summary>
    public static TheoryData<string, int> Requests =>
        new()
        {
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call"}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"x"}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":null}}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"account","arguments":[]}}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"account","arguments":"x"}}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"no-such","arguments":[]}}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"account","_meta":7}}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"account","arguments":null}}""", 0 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":7}}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":7}}""", -32602 },
            { """{"jsonrpc":"2.0","id":-7,"method":"tools/list"}""", 0 },
            { """{"jsonrpc":"2.0","id":"a","method":"tools/list","params":null}""", 0 },
            { """{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"loud"}}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"initialize","params":[]}""", -32602 },
            { """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":7}}""", -32602 },
            { Begin + """ "capabilities":[],"clientInfo":{"name":"a","version":"1"}}}""", -32602 },
            { Begin + """ "capabilities":{},"clientInfo":[]}}""", -32602 },
            { Begin + """ "capabilities":{},"clientInfo":{"name":"a"}}}""", -32602 },
            { Begin + """ "capabilities":{},"clientInfo":{"name":"a","version":"1"}}}""", 0 },
            { """{"jsonrpc":"2.0","id":1,"method":"","params":[]}""", -32601 },
            { """{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":[]}""", -32601 },
            { """{"jsonrpc":"2.0","id":1,"method":"resources/list","params":[]}""", -32601 },
            { """{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":[]}""", -32601 },
            { """{}""", -32600 },
            { """{"jsonrpc":"2.0","id":1}""", -32600 },
            { """{"jsonrpc":"2.0","id":1,"method":null}""", -32600 },
            { """{"jsonrpc":"1.0","id":1,"method":"tools/list"}""", -32600 },
            { """{"jsonrpc":2.0,"id":1,"method":"tools/list"}""", -32600 },
            { """{"id":1,"method":"tools/list"}""", -32600 },
            { """{"jsonrpc":"2.0","id":null,"method":"tools/list"}""", -32600 },
            { """{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}""", -32600 },
            { """{"jsonrpc":"2.0","id":1e99,"method":"tools/list"}""", -32600 },
            { """{"jsonrpc":"2.0","id":true,"method":"tools/list"}""", -32600 },
            { """{"jsonrpc":"2.0","id":{},"method":"tools/list"}""", -32600 },
            { """{"jsonrpc":"2.0","id":[1],"method":"tools/list"}""", -32600 },
        };

    /// <summary>JSON-RPC 2.0 section 5.1: a client's mistake is never reported as a server error (-32603, or 500).</summary>
    [Theory]
    [MemberData(nameof(Requests))]
    public async Task A_request_that_is_wrong_is_answered_with_the_code_of_its_mistake(string body, int code)
    {
        var host = Start();

        using var answer = await Post(host, AcmeKey, body);

        var error = (await Answer(answer))["error"];
        Assert.Equal(code, (int?)error?["code"] ?? 0);
        Assert.DoesNotContain("RequestId", (string?)error?["message"] ?? "", StringComparison.Ordinal); // Nor any other type of the code's.
        Assert.DoesNotContain("ModelContextProtocol", (string?)error?["message"] ?? "", StringComparison.Ordinal);
        Assert.Equal(code == -32600 ? HttpStatusCode.BadRequest : HttpStatusCode.OK, answer.StatusCode);
        Assert.DoesNotContain(host.Log.Entries, e => e.Level >= LogLevel.Error); // A server error would be logged as one.
    }

    [Theory]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"order\",\"arguments\":{\"id\":", "}}}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":", ",\"method\":\"tools/list\"}")]
    [InlineData("", "")]
    public async Task A_message_nested_without_end_is_refused(string before, string after)
    {
        var host = Start();
        var nested = new string('[', 10_000) + new string(']', 10_000);

        await Problem(await Post(host, AcmeKey, before + nested + after), 400, "malformed_request");
    }

    [Fact]
    public async Task A_tool_name_or_message_id_of_maximum_length_is_refused()
    {
        var host = Start();
        var endless = new string('x', 1024 * 1024);

        using var named = await Post(host, AcmeKey, CallMessage(endless));
        Assert.Contains("-32602", await named.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var order = new { currency = "EUR", items = new[] { new { product_id = "p-1", quantity = 1 } } };
        Assert.Equal("idempotency_key_required", await CodeOf(Post(host, AcmeKey, CallMessage("place-order", order, endless))));
        Assert.Equal(
            "idempotency_key_required",
            await CodeOf(Post(host, AcmeKey, CallMessage("place-order", order, "ü-not-a-key-as-it-has-an-umlaut")))
        );
        Assert.Equal(0, Placed(Upstream));
    }

    [Fact]
    public async Task A_request_that_is_not_JSON_or_accepts_no_stream_is_refused()
    {
        var host = Start();
        await Problem(
            await Post(host, AcmeKey, List, r => r.Content!.Headers.ContentType = new("text/plain")),
            415,
            "unsupported_media_type"
        );
        await Problem(await Post(host, AcmeKey, List, r => Accept(r, "application/json")), 406, "not_acceptable");
        await Problem(await Post(host, AcmeKey, List, r => Accept(r, "text/event-stream")), 406, "not_acceptable");
        await Result(await Post(host, AcmeKey, List, r => Accept(r, "*/*")));

        static void Accept(HttpRequestMessage request, string types)
        {
            request.Headers.Remove("Accept");
            request.Headers.TryAddWithoutValidation("Accept", types);
        }
    }

    [Fact]
    public async Task A_message_is_no_larger_than_the_plan_lets_a_body_be()
    {
        var host = Start(
            new()
            {
                ["Plans:small:MaxPayloadBytes"] = "2000",
                ["Plans:small:RequestsPerMinute"] = "1000",
                ["Plans:small:Burst"] = "1000",
                ["Tenants:acme:Plan"] = "small",
            }
        );

        await Result(await Post(host, AcmeKey, CallMessage("product", new { id = "p-1" })));
        await Problem(await Post(host, AcmeKey, CallMessage("product", new { id = new string('x', 2000) })), 413, "payload_too_large");

        // Exceeds the limit of any plan. Only the length is sent, because the answer would overtake a body of this size.
        var refused = await RawHttp.Send(
            host.Address,
            $"POST /mcp HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {GlobexKey}\r\nContent-Type: application/json\r\n"
                + "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\nContent-Length: 4194400\r\n\r\n",
            host.Leaks
        );
        Assert.Equal(413, refused.Status);
        Assert.Contains("payload_too_large", refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clients_mistakes_are_not_logged()
    {
        var host = Start();
        using var unknown = await Post(host, AcmeKey, CallMessage("nothing"));
        Assert.Contains("-32602", await unknown.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var method = await Post(host, AcmeKey, Message("prompts/get", new { name = "x" }));
        Assert.Contains("-32601", await method.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        Assert.DoesNotContain(host.Log.Entries, e => e.Category.StartsWith("ModelContextProtocol", StringComparison.Ordinal));
    }
}
