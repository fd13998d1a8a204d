using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bff.Callers;
using Bff.Callers.Clients;
using Bff.Configuration;
using Bff.Requests;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Routes.GraphQl;

/// <summary>
/// Tests routes with <c>Metadata:Protocol: graphql</c>: what they forward to the service, and what they refuse before the service is
/// called.
/// </summary>
public sealed class GraphQlRouteTests : IAsyncLifetime
{
    private const string Listed = "query Prices { prices { current } }";
    private const string ListedWrite = "mutation Book { book { id } }";
    private readonly ConcurrentQueue<(string Method, string Query, string Body)> _arrived = new();
    private readonly string _list = Path.GetTempFileName();
    private int _failures;
    private TestHost? _service;
    private TestHost? _gateway;

    public async Task InitializeAsync()
    {
        _service = await TestHost.Start(_ => { }, app => app.Run(Serve));
        await File.WriteAllTextAsync(
            _list,
            new JsonObject
            {
                ["prices-1"] = Listed,
                [Hash(Listed)] = Listed,
                ["book-1"] = new JsonObject { ["query"] = ListedWrite, ["cost"] = 7 },
            }.ToJsonString()
        );
        _gateway = await Start(new());
    }

    public async Task DisposeAsync()
    {
        await _gateway!.DisposeAsync();
        await _service!.DisposeAsync();
        File.Delete(_list);
    }

    [Fact]
    public async Task A_query_is_forwarded_unchanged_and_its_answer_comes_back()
    {
        const string Body =
            """{"query":"query A($n: Int) { a(n: $n) { b } }","operationName":"A","variables":{"n":1},"extensions":{"x":1},"other":2}""";

        var answer = await Post("/open", Body);

        Assert.Equal((200, """{"data":{}}"""), (answer.Status, answer.Text));
        Assert.Equal(("POST", "", Body), Assert.Single(_arrived));
    }

    public static TheoryData<string, int, string?> Documents =>
        new()
        {
            { "{ a }", 200, null },
            { Deep(10), 200, null },
            { Deep(11), 400, "query_too_complex" },
            { Deep(30), 400, "query_too_complex" },
            { Deep(5_000), 400, "query_too_complex" },
            { "{ a { ... { b { ... on B { " + Inner(8) + " } } } } }", 200, null }, // Inline fragments do not count as levels.
            { "{ a { ... { b { ... on B { " + Inner(9) + " } } } } }", 400, "query_too_complex" },
            { "{ a { b { c { ...F } } } } fragment F on A " + Deep(7), 200, null },
            { "{ a { b { c { ...F } } } } fragment F on A " + Deep(8), 400, "query_too_complex" },
            { "{ a ...F } fragment F on A { ...G } fragment G on A { b ...F }", 400, "malformed_request" },
            { "{ a } fragment F on A { ...F }", 400, "malformed_request" },
            { "{ a } fragment F on A " + Deep(11), 400, "query_too_complex" },
            {
                "{ ...F0 } "
                    + string.Concat(Enumerable.Range(0, 1_000).Select(i => $"fragment F{i} on A {{ ...F{i + 1} }} "))
                    + "fragment F1000 on A { a }",
                400,
                "query_too_complex"
            },
            { "{ " + Aliases(20) + " }", 200, null },
            { "{ " + Aliases(21) + " }", 400, "query_too_complex" },
            { "{ " + Aliases(200) + " }", 400, "query_too_complex" },
            { "{ x { ...F } y { ...F } z { ...F } } fragment F on A { " + Aliases(7) + " }", 400, "query_too_complex" },
            { "{ x { ...F } y { ...F } } fragment F on A { " + Aliases(7) + " }", 200, null },
            {
                "{ ...F0 } "
                    + string.Concat(Enumerable.Range(0, 60).Select(i => $"fragment F{i} on A {{ ...F{i + 1} ...F{i + 1} }} "))
                    + "fragment F60 on A { a: b }",
                400,
                "query_too_complex"
            },
            { "{ __typename a }", 200, null },
            { "{ __schema { types { name } } }", 403, "operation_not_allowed" },
            { "{ a: __type(name: \"A\") { name } }", 403, "operation_not_allowed" },
            { "query A { a } query B { ...F } fragment F on Query { __schema { description } }", 403, "operation_not_allowed" },
            { "{ a(text: \"__schema { b }\") }", 200, null },
            { "{ a(text: \"\"\"block { { { \"quoted\" \\\"\"\" \"\"\") } # { { { __schema\n", 200, null },
            { "# only { a }", 400, "malformed_request" },
            { "{ a(text: {b: [{c: {d: [[1]]}}]}) @include(if: true) }", 200, null },
            { "{ a(list: " + new string('[', 600) + new string(']', 600) + ") }", 400, "query_too_complex" },
            // Default values of variables count toward the limits of tokens, characters and nesting.
            { "query($n: Int = 1000000) { a(n: $n) { b } }", 200, null }, // The size of the result is for the service to limit.
            { "query($n: [Int] = " + Defaults(14_970) + ") { a(n: $n) }", 200, null },
            { "query($n: [Int] = " + Defaults(15_000) + ") { a(n: $n) }", 400, "query_too_complex" },
            { "query($n: [Int] = " + new string('[', 600) + new string(']', 600) + ") { a(n: $n) }", 400, "query_too_complex" },
            { "query($n: In = " + Objects(600) + ") { a(n: $n) }", 400, "query_too_complex" },
            { "query($t: String = \"" + new string('x', 128 * 1024) + "\") { a(t: $t) }", 400, "query_too_complex" },
            { "query($t: String = \"__schema { b }\", $i: In = {__schema: 1}) { a(t: $t, i: $i) }", 200, null },
            { "query($n: Int = 1) { ...F } fragment F on A " + Deep(11), 400, "query_too_complex" },
            { "query($n: Int = { a ) { a }", 400, "malformed_request" },
            { "{ " + string.Join(' ', Enumerable.Repeat("a", 14_990)) + " }", 200, null },
            { "{ " + string.Join(' ', Enumerable.Repeat("a", 15_000)) + " }", 400, "query_too_complex" },
            { "{ a(text: \"" + new string('x', 128 * 1024) + "\") }", 400, "query_too_complex" },
            { "query A { a } query A { b }", 400, "malformed_request" },
            { "{ a } query B { b }", 400, "malformed_request" },
            { "{ ...F } fragment F on A { a } fragment F on A { b }", 400, "malformed_request" },
            { "type A { b: C }", 400, "malformed_request" },
            { "{ a } type A { b: C }", 400, "malformed_request" },
            { "fragment F on A { a }", 400, "malformed_request" },
            { "{ a", 400, "malformed_request" },
            { "{ a \\u0000 }", 400, "malformed_request" },
            { "", 400, "malformed_request" },
        };

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task Documents_are_held_to_the_routes_limits(string document, int status, string? code)
    {
        var answer = await Post("/strict", new JsonObject { ["query"] = document }.ToJsonString());

        Check(answer, status, code);
        Assert.Equal(status == 200 ? 1 : 0, _arrived.Count);
    }

    public static TheoryData<string, int, string?> Bodies =>
        new()
        {
            { "", 400, "malformed_request" },
            { "null", 400, "malformed_request" },
            { "[]", 400, "malformed_request" },
            { "1", 400, "malformed_request" },
            { "{}", 400, "malformed_request" },
            { """{"query":1}""", 400, "malformed_request" },
            { """{"query":null}""", 400, "malformed_request" },
            { """{"query":"{ a }","query":"{ b }"}""", 400, "malformed_request" },
            { """{"query":"{ a }","qu\u0065ry":"{ b }"}""", 400, "malformed_request" },
            { """{"query":"{ a }","Query":"{ b }"}""", 400, "malformed_request" },
            { """{"query":"{ a }","variables":{"a":1,"a":2}}""", 400, "malformed_request" },
            { """{"query":"{ a }","variables":[1]}""", 400, "malformed_request" },
            { """{"query":"{ a }","variables":null,"operationName":null,"extensions":null}""", 200, null },
            { """{"query":"query($n: Int = 5, $i: In = {b: 1}) { a(n: $n, i: $i) }","variables":{"n":null,"i":null}}""", 200, null },
            { """{"query":"{ a }","operationName":7}""", 400, "malformed_request" },
            { """{"query":"{ a \ud800 }"}""", 400, "malformed_request" },
            // Latin-1 bytes that are not valid UTF-8.
            { "{\"query\":\"{ a }\",\"variables\":{\"a\":\"\u00ff\u00fe\"}}", 400, "malformed_request" },
            { """{"query":"{ a }"} x""", 400, "malformed_request" },
            { """{"query":"{ a }",/* {"query":"{ b }"} */"variables":{}}""", 400, "malformed_request" },
            { """{"query":"{ a }","variables":{"a":""" + new string('[', 100) + new string(']', 100) + "}}", 400, "malformed_request" },
            { """{"query":"{ a }","extensions":{"persistedQuery":{"sha256Hash":"00"}}}""", 400, "malformed_request" },
            { """{"query":"{ a }","documentId":"prices-1"}""", 400, "malformed_request" },
            { """{"documentId":"prices-1"}""", 400, "persisted_query_not_found" },
            { """{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}""", 400, "persisted_query_not_found" },
            { """{"extensions":{"persistedQuery":7}}""", 400, "malformed_request" },
            { "[" + string.Join(',', Enumerable.Repeat("""{"query":"{ a }"}""", 10)) + "]", 200, null },
            { "[" + string.Join(',', Enumerable.Repeat("""{"query":"{ a }"}""", 11)) + "]", 400, "malformed_request" },
            { """[{"query":"{ a }"},{"query":"{ __schema { description } }"}]""", 403, "operation_not_allowed" },
            { """[{"query":"{ a }"},[{"query":"{ b }"}]]""", 400, "malformed_request" },
            {
                "[" + string.Join(',', Enumerable.Repeat(new JsonObject { ["query"] = "{ " + Aliases(7) + " }" }.ToJsonString(), 3)) + "]",
                400,
                "query_too_complex"
            },
            { """{"query":"{ a }","variables":{"a":""" + "\"" + new string('x', 1024 * 1024) + "\"}}", 413, "payload_too_large" },
        };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task An_ambiguous_body_is_refused(string body, int status, string? code)
    {
        var answer = await Post("/strict", body);

        if (status != 413 || answer.Status != 0) // The connection may close while the client still sends.
        {
            Check(answer, status, code);
        }

        Assert.Equal(status == 200 ? 1 : 0, _arrived.Count);
    }

    [Theory]
    [InlineData("application/graphql", 415)]
    [InlineData("text/plain", 415)]
    [InlineData("multipart/form-data; boundary=x", 415)]
    [InlineData("application/x-www-form-urlencoded", 415)]
    [InlineData("application/json; charset=utf-16", 415)]
    [InlineData("application/json; charset=utf-8", 200)]
    public async Task Only_JSON_bodies_are_accepted(string type, int status) =>
        Check(await Post("/strict", """{"query":"{ a }"}""", type), status, status == 200 ? null : "unsupported_media_type");

    [Theory]
    [InlineData("/strict?query={__schema{description}}", 400)]
    [InlineData("/strict?QUERY={b}", 400)]
    [InlineData("/strict?variables={}", 400)]
    [InlineData("/strict?trace=1", 200)]
    public async Task A_post_has_no_query_parameters_of_GraphQL(string path, int status) =>
        Check(await Post(path, """{"query":"{ a }"}"""), status, status == 200 ? null : "malformed_request");

    [Theory]
    [InlineData("?query={a}", 200, null)]
    [InlineData("?query=query%20A($n:Int){a(n:$n)}&operationName=A&variables=%7B%22n%22:1%7D", 200, null)]
    [InlineData("?query={a}&query={b}", 400, "malformed_request")]
    [InlineData("?query={a}&Query={b}", 400, "malformed_request")]
    [InlineData("?Query={a}", 400, "malformed_request")]
    [InlineData("?query={a}&variables=[1]", 400, "malformed_request")]
    [InlineData("?query={a}&variables=%7B", 400, "malformed_request")]
    [InlineData("?query={a}&variables=%7B%22a%22:1,%22a%22:2%7D", 400, "malformed_request")]
    [InlineData("?query={__schema{description}}", 403, "operation_not_allowed")]
    [InlineData("?query=mutation{a}", 405, "method_not_allowed")]
    [InlineData("?query=query%20A{a}mutation%20B{b}&operationName=A", 405, "method_not_allowed")]
    [InlineData("?extensions=%7B%22persistedQuery%22:%7B%22sha256Hash%22:%2200%22%7D%7D", 400, "persisted_query_not_found")]
    [InlineData("", 400, "malformed_request")]
    public async Task A_get_takes_its_query_from_the_url_and_may_not_be_a_mutation(string query, int status, string? code)
    {
        var answer = await Raw($"GET /strict{query} HTTP/1.1\r\nHost: gateway\r\n\r\n");

        Check(answer, status, code);
        Assert.Equal(status == 200 ? 1 : 0, _arrived.Count);
        Assert.Equal(status == 405 ? "POST" : null, answer.Header("Allow"));
    }

    /// <summary>Services parse a query string in different ways, so the gateway sends an unambiguous one.</summary>
    [Fact]
    public async Task The_query_string_of_a_get_is_rewritten()
    {
        var answer = await Raw("GET /strict?x=1;query={b}&query=%7Ba+c%7D HTTP/1.1\r\nHost: gateway\r\n\r\n");

        Assert.Equal(200, answer.Status);
        Assert.Equal("?x=1%3Bquery%3D%7Bb%7D&query=%7Ba%20c%7D", Assert.Single(_arrived).Query);
    }

    [Theory]
    [InlineData("PUT", 405)]
    [InlineData("DELETE", 405)]
    [InlineData("PATCH", 405)]
    public async Task Other_methods_are_refused(string method, int status) =>
        Check(
            await Raw(
                $"{method} /strict HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{{\"query\":\"{{a}}\"}}"
            ),
            status,
            "method_not_allowed"
        );

    [Fact]
    public async Task A_WebSocket_is_refused_because_it_would_bypass_every_limit() =>
        Check(
            await Raw(
                "GET /strict?query={a} HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            ),
            400,
            "malformed_request"
        );

    [Theory]
    [InlineData("{ a }", "", 2, 200)]
    [InlineData("mutation { a }", "", 1, 502)]
    [InlineData("mutation { a }", "Idempotency-Key: k\r\n", 2, 200)]
    [InlineData("query A { a } mutation B { b }", "", 1, 502)] // The service decides which of the two is executed.
    public async Task A_query_is_retried_and_a_mutation_only_with_an_idempotency_key(string document, string key, int calls, int status)
    {
        _failures = 1;

        var answer = await Post("/open", new JsonObject { ["query"] = document }.ToJsonString(), headers: key);

        Assert.Equal((status, calls), (answer.Status, _arrived.Count));
    }

    [Fact]
    public async Task A_route_with_a_list_accepts_only_listed_operations()
    {
        Check(await Post("/listed", new JsonObject { ["query"] = Listed }.ToJsonString()), 200, null);
        Check(await Post("/listed", new JsonObject { ["query"] = Listed + " " }.ToJsonString()), 403, "operation_not_allowed");
        Check(await Post("/listed", """{"query":"{ a }"}"""), 403, "operation_not_allowed");
        Check(await Post("/listed", """{"documentId":"no-such"}"""), 400, "persisted_query_not_found");
        Check(
            await Post("/listed", new JsonObject { ["query"] = Listed, ["documentId"] = "book-1" }.ToJsonString()),
            400,
            "malformed_request"
        );
        Check(await Post("/listed", new JsonObject { ["query"] = Listed, ["documentId"] = "prices-1" }.ToJsonString()), 200, null);
        Assert.Equal(2, _arrived.Count);
    }

    [Theory]
    [InlineData(
        """{"documentId":"prices-1","variables":{"a":1}}""",
        """{"query":"query Prices { prices { current } }","variables":{"a":1}}"""
    )]
    [InlineData("""{"id":"prices-1"}""", """{"query":"query Prices { prices { current } }"}""")]
    [InlineData(
        """[{"id":"prices-1"},{"query":"mutation Book { book { id } }","operationName":"Book"}]""",
        """[{"query":"query Prices { prices { current } }"},{"query":"mutation Book { book { id } }","operationName":"Book"}]"""
    )]
    public async Task An_operation_named_by_its_id_is_forwarded_with_its_document(string sent, string arrives)
    {
        Check(await Post("/listed", sent), 200, null);

        Assert.Equal(arrives, Assert.Single(_arrived).Body);
    }

    [Fact]
    public async Task A_listed_automatic_persisted_query_is_found_by_its_hash()
    {
        var extensions = new JsonObject
        {
            ["persistedQuery"] = new JsonObject { ["version"] = 1, ["sha256Hash"] = Hash(Listed) },
            ["trace"] = "t",
        }.ToJsonString();

        Check(await Post("/listed", $$"""{"extensions":{{extensions}}}"""), 200, null);
        Check(await Raw($"GET /listed?extensions={Uri.EscapeDataString(extensions)} HTTP/1.1\r\nHost: gateway\r\n\r\n"), 200, null);
        Check(await Raw("GET /listed?documentId=book-1 HTTP/1.1\r\nHost: gateway\r\n\r\n"), 405, "method_not_allowed");

        Assert.Equal(
            [
                ("POST", "", """{"query":"query Prices { prices { current } }","extensions":{"trace":"t"}}"""),
                ("GET", "?query=" + Uri.EscapeDataString(Listed), ""),
            ],
            _arrived
        );
    }

    [Fact]
    public async Task Every_operation_costs_what_it_declares()
    {
        await using var gateway = await Start(
            new()
            {
                ["Plans:free:Burst"] = "100",
                ["Plans:free:RequestsPerMinute"] = "1",
                ["Limits:Mode"] = "Exact",
                ["Limits:Endpoints:queries:Cost"] = "3",
            }
        );

        Assert.Equal(
            "97 91 70 67",
            string.Join(
                ' ',
                [
                    await Remaining("""{"query":"query Prices { prices { current } }"}"""),
                    await Remaining("""[{"id":"prices-1"},{"id":"prices-1"}]"""),
                    await Remaining("""{"id":"book-1"}"""),
                    await Remaining("""{"query":"{ a }"}"""), // A refused operation still has a cost.
                ]
            )
        );

        async Task<string?> Remaining(string body)
        {
            var before = await RawHttp.Send(gateway.Address, Request("/listed", body), new LeakSentinel());
            return before.Status == 200 ? before.Header("X-RateLimit-Remaining") : await Peek();
        }

        async Task<string?> Peek()
        {
            using var answer = await gateway.Client.GetAsync("/free");
            return answer.Headers.GetValues("X-RateLimit-Remaining").Single() is var left
                ? (int.Parse(left, null) + 1).ToString((IFormatProvider?)null)
                : null;
        }
    }

    [Fact]
    public async Task A_refusal_is_both_a_problem_and_a_GraphQL_response()
    {
        foreach (
            var (request, status, code) in new[]
            {
                (Request("/strict", """{"query":"{ __schema { description } }"}"""), 403, "OPERATION_NOT_ALLOWED"),
                (Request("/strict", """{"query":"{ a }"}""", headers: "X-Nobody: 1\r\n"), 401, "MISSING_TOKEN"),
                (Request("/listed", """{"id":"x"}"""), 400, "PERSISTED_QUERY_NOT_FOUND"),
            }
        )
        {
            var answer = await Raw(request);

            Assert.Equal((status, "application/problem+json"), (answer.Status, answer.Header("Content-Type")));
            var problem = JsonNode.Parse(answer.Text)!;
            Assert.Equal(code, (string?)problem["errors"]![0]!["extensions"]!["code"]);
            Assert.Equal((string?)problem["title"], (string?)problem["errors"]![0]!["message"]);
        }
    }

    [Theory]
    [InlineData("{", "Metadata:PersistedQueries:Path")]
    [InlineData("[]", "Metadata:PersistedQueries:Path")]
    [InlineData("""{"a":1}""", "Metadata:PersistedQueries:Path")]
    [InlineData("""{"a":"{ b }","a":"{ c }"}""", "Metadata:PersistedQueries:Path")]
    [InlineData("""{"a":"{ b"}""", "'a'")]
    [InlineData("""{"a":"{ __schema { description } }"}""", "'a'")]
    [InlineData("""{"a":{"query":"{ b }","cost":0}}""", "'a'")]
    [InlineData(
        """{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","body":"{ b","name":"A","type":"query"}]}""",
        "'a'"
    )]
    public async Task A_list_without_operations_or_with_a_refused_one_stops_the_host(string list, string named)
    {
        await File.WriteAllTextAsync(_list, list);

        var refused = await Assert.ThrowsAsync<InvalidConfigurationException>(() =>
            Start(new() { ["ReverseProxy:Routes:listed:Metadata:Introspection"] = "false" })
        );

        Assert.Contains(named, Assert.Single(refused.Mistakes).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_Apollo_manifest_is_accepted_as_a_list()
    {
        await File.WriteAllTextAsync(
            _list,
            """{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","body":"query A { b }","name":"A","type":"query"}]}"""
        );
        await using var gateway = await Start(new());

        var answer = await RawHttp.Send(gateway.Address, Request("/listed", """{"id":"a","operationName":"A"}"""), new LeakSentinel());

        Assert.Equal(200, answer.Status);
        Assert.Equal("""{"query":"query A { b }","operationName":"A"}""", Assert.Single(_arrived).Body);
    }

    [Fact]
    public async Task A_GraphQL_limit_on_a_route_of_another_protocol_stops_the_host()
    {
        var refused = await Assert.ThrowsAsync<InvalidConfigurationException>(() =>
            Start(new() { ["ReverseProxy:Routes:free:Metadata:MaxDepth"] = "5" })
        );

        Assert.Equal(["ReverseProxy:Routes:free:Metadata:MaxDepth"], refused.Mistakes.Select(m => m.Key));
    }

    private static string Deep(int levels) => string.Concat(Enumerable.Repeat("{ a ", levels)) + new string('}', levels);

    private static string Defaults(int count) => "[" + string.Join(' ', Enumerable.Repeat("1", count)) + "]";

    private static string Objects(int levels) => string.Concat(Enumerable.Repeat("{a: ", levels)) + "1" + new string('}', levels);

    private static string Inner(int levels) => levels == 1 ? "a" : "a " + Deep(levels - 1);

    private static string Aliases(int count) => string.Join(' ', Enumerable.Range(0, count).Select(i => $"a{i}: b"));

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static void Check(RawResponse answer, int status, string? code)
    {
        Assert.True(answer.Status == status, $"{answer.Status}: {answer.Text}");
        if (code is not null)
        {
            Assert.Equal(code, (string?)JsonNode.Parse(answer.Text)!["code"]);
        }
    }

    private static string Request(string path, string body, string type = "application/json", string headers = "") =>
        $"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: {type}\r\n{headers}Content-Length: {body.Length}\r\n\r\n{body}";

    private Task<RawResponse> Post(string path, string body, string type = "application/json", string headers = "") =>
        Raw(Request(path, body, type, headers));

    private Task<RawResponse> Raw(string request) => RawHttp.Send(_gateway!.Address, request, new LeakSentinel());

    private Task<TestHost> Start(Dictionary<string, string?> settings) =>
        TestHost.Start(
            builder =>
            {
                builder.AddBffDefaults();
                builder.Services.AddSingleton<ICallerSource, FixedCaller>();
            },
            app => app.UseBffPipeline(),
            new Dictionary<string, string?>
            {
                ["Plans:free:RequestsPerMinute"] = "100000",
                ["Plans:free:Burst"] = "100000",
                ["Upstreams:stub:Address"] = _service!.Address.ToString(),
                ["Upstreams:stub:Retries"] = "1",
                ["Upstreams:stub:Timeout"] = "00:01:00",
                ["ReverseProxy:Routes:free:ClusterId"] = "stub",
                ["ReverseProxy:Routes:free:Match:Path"] = "/free",
                ["ReverseProxy:Routes:free:Metadata:Scope"] = "api",
                ["ReverseProxy:Routes:open:ClusterId"] = "stub",
                ["ReverseProxy:Routes:open:Match:Path"] = "/open",
                ["ReverseProxy:Routes:open:Metadata:Scope"] = "api",
                ["ReverseProxy:Routes:open:Metadata:Protocol"] = "graphql",
                ["ReverseProxy:Routes:strict:ClusterId"] = "stub",
                ["ReverseProxy:Routes:strict:Match:Path"] = "/strict",
                ["ReverseProxy:Routes:strict:Metadata:Scope"] = "api",
                ["ReverseProxy:Routes:strict:Metadata:Protocol"] = "graphql",
                ["ReverseProxy:Routes:strict:Metadata:MaxDepth"] = "10",
                ["ReverseProxy:Routes:strict:Metadata:MaxAliases"] = "20",
                ["ReverseProxy:Routes:strict:Metadata:Introspection"] = "false",
                ["ReverseProxy:Routes:listed:ClusterId"] = "stub",
                ["ReverseProxy:Routes:listed:Match:Path"] = "/listed",
                ["ReverseProxy:Routes:listed:Metadata:Scope"] = "api",
                ["ReverseProxy:Routes:listed:Metadata:Endpoint"] = "queries",
                ["ReverseProxy:Routes:listed:Metadata:Protocol"] = "GraphQL",
                ["ReverseProxy:Routes:listed:Metadata:PersistedQueries:Path"] = _list,
            }.With(settings)
        );

    private async Task Serve(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        _arrived.Enqueue((context.Request.Method, context.Request.QueryString.Value ?? "", await body.ReadToEndAsync()));
        if (Interlocked.Decrement(ref _failures) >= 0)
        {
            context.Response.StatusCode = 500;
            return;
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync("""{"data":{}}""");
    }
}
