using System.Text.Json;
using ModelContextProtocol.Client;

namespace PartnerBff.Tests.Agents;

/// <summary>The descriptions of operations that agents get.</summary>
public sealed class ToolTests(SharedSurroundings surroundings) : AgentTest(surroundings)
{
    [Fact]
    public async Task Every_operation_of_the_contract_is_a_tool_with_its_words_and_schemas()
    {
        var host = Start();
        await using var client = await Connect(host, AcmeKey);
        var tools = (await client.ListToolsAsync()).ToDictionary(t => t.Name);

        var contract = JsonNode.Parse(await File.ReadAllTextAsync(Checkout.At("contracts", "partner-v1.json")))!;
        var operations = contract["paths"]!
            .AsObject()
            .SelectMany(p => p.Value!.AsObject().Select(o => o.Value!.AsObject()))
            .ToDictionary(o => (string)o["operationId"]!);
        Assert.Equal(operations.Keys.Order(), tools.Keys.Order());
        Assert.All(
            operations,
            operation =>
            {
                var tool = tools[operation.Key].ProtocolTool;
                Assert.Equal((string?)operation.Value["summary"], tool.Title);
                Assert.EndsWith((string)operation.Value["description"]!, tool.Description, StringComparison.Ordinal);
                StandsByItself(tool.InputSchema);
                Assert.False(tool.InputSchema.GetProperty("additionalProperties").GetBoolean());
                if (tool.OutputSchema is { } output)
                {
                    Assert.Equal("object", output.GetProperty("type").GetString());
                    StandsByItself(output);
                }
            }
        );
        var order = tools["place-order"].ProtocolTool;
        Assert.Equal(["currency", "idempotency_key", "items"], Names(order.InputSchema.GetProperty("required")).Order());
        Assert.Equal(
            ["currency", "idempotency_key", "items", "reference"],
            order.InputSchema.GetProperty("properties").EnumerateObject().Select(p => p.Name).Order()
        );
        Assert.Equal(["id"], Names(tools["cancel-order"].ProtocolTool.InputSchema.GetProperty("required")));
        Assert.False(tools["rotate-api-key"].ProtocolTool.InputSchema.GetProperty("properties").GetProperty("id").ValueKind == default);
        Assert.Null(tools["delete-api-key"].ProtocolTool.OutputSchema);
    }

    [Fact]
    public async Task Hints_say_which_tools_read_add_and_destroy()
    {
        var host = Start();
        await using var client = await Connect(host, AcmeKey);
        var hints = (await client.ListToolsAsync()).ToDictionary(t => t.Name, t => t.ProtocolTool.Annotations!);

        Assert.Equal(
            [
                "account",
                "api-keys",
                "events",
                "inventory",
                "order",
                "orders",
                "product",
                "products",
                "usage",
                "webhook-deliveries",
                "webhook-endpoint",
                "webhook-endpoints",
            ],
            hints.Where(h => h.Value.ReadOnlyHint == true).Select(h => h.Key).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            [
                "cancel-order",
                "change-webhook-endpoint",
                "delete-api-key",
                "delete-webhook-endpoint",
                "rotate-api-key",
                "rotate-webhook-secret",
            ],
            hints.Where(h => h.Value.DestructiveHint == true).Select(h => h.Key).Order(StringComparer.Ordinal)
        );
        Assert.True(hints["place-order"].IdempotentHint);
        Assert.False(hints["create-api-key"].IdempotentHint);
    }

    [Fact]
    public async Task A_caller_sees_what_its_scopes_plan_and_tenant_let_it_call()
    {
        var host = Start(
            new()
            {
                ["Tenants:globex:AllowedEndpoints:0"] = "/mcp",
                ["Tenants:globex:AllowedEndpoints:1"] = "/v1/orders/*",
                ["Tenants:globex:AllowedEndpoints:2"] = "/v1/products",
            }
        );
        var reader = await Scoped(host, AcmeKey, "orders.read", "products.read");

        Assert.Equal(["order", "orders", "product", "products"], await Listed(reader));
        Assert.Equal(["batch", "order", "products"], await Listed(GlobexKey));
        var free = await Listed(InitechKey);
        Assert.Contains("orders", free);
        Assert.Contains("create-webhook-endpoint", free); // A read-only plan may manage its own resources.
        Assert.Empty(free.Intersect(["place-order", "cancel-order", "batch"]));

        async Task<List<string>> Listed(string key)
        {
            await using var client = await Connect(host, key);
            return [.. (await client.ListToolsAsync()).Select(t => t.Name)];
        }
    }

    [Theory]
    [InlineData("2025-03-26")]
    [InlineData("2025-06-18")]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task Every_revision_of_the_protocol_is_spoken(string revision)
    {
        var host = Start();
        await using var client = await Connect(host, AcmeKey, revision);

        Assert.Equal(revision, client.NegotiatedProtocolVersion);
        Assert.Equal("partner-api", client.ServerInfo?.Name);
        Assert.Contains("idempotency_key", client.ServerInstructions!, StringComparison.Ordinal);
        Assert.NotEmpty(await client.ListToolsAsync());
        Assert.Equal("p-1", (string?)Ok(await Call(client, "product", new { id = "p-1" }))["id"]);
    }

    [Fact]
    public async Task Any_instance_takes_any_message()
    {
        // A refusal names the public address, at which clients reach all instances.
        var hosts = Enumerable.Range(0, 3).Select(_ => Start(new() { ["PublicUrl"] = "https://partners.example" })).ToList();
        foreach (var revision in (string[])["2025-06-18", "2026-07-28"])
        {
            var balancer = new Balancer(hosts);
            var http = new HttpClient(new LeakSentinelHandler(hosts[0].Leaks, balancer));
            await using var client = await Connect(hosts[0], AcmeKey, revision, http);

            for (var i = 0; i < 6; i++)
            {
                Ok(await Call(client, "product", new { id = "p-1" }));
            }

            Assert.Equal(24, (await client.ListToolsAsync()).Count);
            Assert.All(balancer.Messages, m => Assert.True(m > 1));
        }
    }

    [Fact]
    public async Task The_endpoint_does_not_exist_when_agents_are_not_served()
    {
        var host = Start(new() { ["Mcp:Enabled"] = "false" });

        await Problem(await Post(host, AcmeKey, Message("tools/list")), 404, "not_found");
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync(new Uri("/docs/agents", UriKind.Relative))).StatusCode);
        Assert.DoesNotContain(
            "/docs/agents",
            await host.Client.GetStringAsync(new Uri("/docs", UriKind.Relative)),
            StringComparison.Ordinal
        );
    }

    private static IEnumerable<string> Names(JsonElement list) => list.EnumerateArray().Select(n => n.GetString()!);

    /// <summary>Checks that no reference leads out of the schema.</summary>
    private static void StandsByItself(JsonElement schema)
    {
        var defined = schema.TryGetProperty("$defs", out var definitions)
            ? definitions.EnumerateObject().Select(d => "#/$defs/" + d.Name).ToHashSet()
            : [];
        var used = new HashSet<string>();
        Look(schema);
        Assert.Equal(defined.Order(), used.Order());

        void Look(JsonElement part)
        {
            switch (part.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (var member in part.EnumerateObject())
                    {
                        if (member.Name == "$ref")
                        {
                            used.Add(member.Value.GetString()!);
                        }

                        Look(member.Value);
                    }

                    break;
                case JsonValueKind.Array:
                    foreach (var item in part.EnumerateArray())
                    {
                        Look(item);
                    }

                    break;
            }
        }
    }

    /// <summary>Sends each message to the next instance in turn.</summary>
    private sealed class Balancer(IReadOnlyList<PartnerHost> hosts) : DelegatingHandler(new SocketsHttpHandler { UseProxy = false })
    {
        private int _next;

        public int[] Messages { get; } = new int[hosts.Count];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var at = Interlocked.Increment(ref _next) % hosts.Count;
            Interlocked.Increment(ref Messages[at]);
            request.RequestUri = new(hosts[at].Address, request.RequestUri!.PathAndQuery);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
