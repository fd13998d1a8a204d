using Bff.Audit;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using PartnerBff.Requests;

namespace PartnerBff.Tests.Agents;

/// <summary>A tool call is equivalent to the operation's HTTP request.</summary>
public sealed class CallTests(SharedSurroundings surroundings) : AgentTest(surroundings)
{
    [Fact]
    public async Task A_call_is_answered_as_the_operation_is()
    {
        var host = Start();
        await using var client = await Connect(host, AcmeKey);
        foreach (
            var (tool, arguments, path) in ((string, object, string)[])
                [
                    ("products", new { limit = 2 }, "/v1/products?limit=2"),
                    ("product", new { id = "p-1" }, "/v1/products/p-1"),
                    ("inventory", new { product_id = "p-1" }, "/v1/inventory/p-1"),
                    ("orders", new { limit = "3", cursor = (string?)null }, "/v1/orders?limit=3"),
                    ("webhook-endpoints", new { }, "/v1/webhook-endpoints"),
                ]
        )
        {
            var expected = await Json(await Get(host, path, AcmeKey));
            var result = await Call(client, tool, arguments);

            Assert.Equal(WithoutCursor(expected), WithoutCursor(Ok(result)));
            Assert.Equal(200, (int)result.Meta!["status"]!);
            Assert.NotNull(Header(result, "RateLimit"));
        }

        var page = Ok(await Call(client, "products", new { limit = 1 }));
        var next = Ok(await Call(client, "products", new { limit = 1, cursor = (string)page["next_cursor"]! }));
        Assert.NotEqual((string?)page["data"]![0]!["id"], (string?)next["data"]![0]!["id"]);

        static string WithoutCursor(JsonObject answer)
        {
            answer.Remove("next_cursor"); // Sealed anew each time, so it differs.
            return answer.ToJsonString();
        }
    }

    [Fact]
    public async Task An_order_is_placed_once_under_its_key_by_a_tool_or_by_a_request()
    {
        var host = Start();
        await using var client = await Connect(host, AcmeKey);
        var first = await Call(client, "place-order", Arguments("\"quoted\\ key"));
        var again = await Call(client, "place-order", Arguments("\"quoted\\ key"));
        Assert.Equal(Ok(first).ToJsonString(), Ok(again).ToJsonString());
        Assert.Equal((201, (string?)null), ((int)first.Meta!["status"]!, Header(first, "Idempotent-Replayed")));
        Assert.Equal("true", Header(again, "Idempotent-Replayed"));

        Refused(host, await Call(client, "place-order", Arguments("\"quoted\\ key", reference: "other")), 422, "idempotency_mismatch");
        var overHttp = await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(reference: "over-http"), "over-http");
        var replayed = await Call(
            client,
            "place-order",
            new
            {
                currency = "EUR",
                items = new[] { new { product_id = "p-1", quantity = 1 } },
                reference = "over-http",
                idempotency_key = "over-http",
            }
        );
        Assert.Equal("true", Header(replayed, "Idempotent-Replayed"));
        Assert.Equal((string?)(await Json(overHttp, 201))["id"], (string?)Ok(replayed)["id"]);
        Assert.Equal(2, Placed(Upstream));
        Assert.Equal("cancelled", (string?)Ok(await Call(client, "cancel-order", new { id = (string)Ok(first)["id"]! }))["status"]);
    }

    [Fact]
    public async Task The_id_of_a_message_serves_as_a_key_only_if_it_is_globally_unique()
    {
        var host = Start();
        var order = new { currency = "EUR", items = new[] { new { product_id = "p-1", quantity = 1 } } };
        var id = Guid.NewGuid().ToString();
        var first = await Result(await Post(host, AcmeKey, CallMessage("place-order", order, id)));
        var again = await Result(await Post(host, AcmeKey, CallMessage("place-order", order, id)));

        Assert.Equal((string?)first["structuredContent"]!["id"], (string?)again["structuredContent"]!["id"]);
        Assert.Equal("true", (string?)again["_meta"]!["headers"]!["Idempotent-Replayed"]);
        Assert.Equal(1, Placed(Upstream));
        Assert.Equal("idempotency_key_required", await CodeOf(Post(host, AcmeKey, CallMessage("place-order", order, 7))));
        Assert.Equal("idempotency_key_required", await CodeOf(Post(host, AcmeKey, CallMessage("place-order", order, "7"))));
        Assert.Equal(1, Placed(Upstream));
    }

    [Fact]
    public async Task The_tool_refuses_what_the_operation_refuses()
    {
        var host = Start();
        var reader = await Scoped(host, AcmeKey, "orders.read");
        await using var client = await Connect(host, AcmeKey);
        await using var reading = await Connect(host, reader);
        await using var free = await Connect(host, InitechKey);

        var unscoped = Refused(host, await Call(reading, "place-order", Arguments("k")), 403, "insufficient_scope");
        Assert.Equal("/v1/orders", (string?)unscoped["instance"]);
        Refused(host, await Call(free, "place-order", Arguments("k")), 403, "endpoint_not_in_plan");
        Refused(host, await Call(client, "order", new { id = "o-none" }), 404, "not_found");
        Refused(host, await Call(client, "orders", new { cursor = "forged" }), 400, "invalid_cursor");
        Refused(host, await Call(client, "orders", new { limit = "2&cursor=forged" }), 400, "validation_failed");
        Refused(host, await Call(client, "place-order", Arguments("k", "p-nope")), 422, "unprocessable");
        var invalid = Refused(
            host,
            await Call(
                client,
                "place-order",
                new
                {
                    idempotency_key = "k-2",
                    currency = "euro",
                    items = Array.Empty<object>(),
                }
            ),
            400,
            "validation_failed"
        );
        Assert.Equal(["currency", "items"], invalid["errors"]!.AsObject().Select(e => e.Key).Order());
        Assert.Equal(1, Placed(Upstream)); // The service itself refused the unknown product.
    }

    [Fact]
    public async Task Arguments_that_make_no_request_are_named()
    {
        var host = Start();
        await using var client = await Connect(host, AcmeKey);

        var problem = Refused(
            host,
            await Call(client, "cancel-order", new { order_id = "o-1", idempotency_key = new[] { 1 } }),
            400,
            "validation_failed"
        );
        Assert.Equal(["id", "idempotency_key", "order_id"], problem["errors"]!.AsObject().Select(e => e.Key).Order());
        Refused(host, await Call(client, "delete-api-key", new { id = "" }), 400, "validation_failed");
        var unknown = await Assert.ThrowsAsync<McpProtocolException>(() => Call(client, "drop-tables"));
        Assert.Equal(McpErrorCode.InvalidParams, unknown.ErrorCode);
    }

    /// <summary>A value is exactly one segment of the path, or the call is refused.</summary>
    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("../account")]
    [InlineData("o-1/cancel")]
    [InlineData("%2e%2e")]
    [InlineData("o-1?limit=1")]
    [InlineData("o-1#")]
    [InlineData("o-1;a=b")]
    [InlineData("\\")]
    [InlineData("\u0000")]
    [InlineData("{id}")]
    public async Task No_argument_leads_to_another_operation(string id)
    {
        var host = Start();
        await using var client = await Connect(host, AcmeKey);

        var result = await Call(client, "order", new { id });

        Assert.True(result.IsError);
        Assert.Contains((string)result.Meta!["code"]!, (string[])["malformed_request", "not_found"]);
        Assert.DoesNotContain(
            Upstream.Orders.Calls.All,
            c => c.Path is "/orders" or "/orders/" || c.Path.EndsWith("/cancel", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Changes_by_a_call_are_audited_counted_and_logged_as_the_operation()
    {
        var host = Start();
        await using var client = await Connect(host, AcmeKey);
        var made = Ok(
            await Call(client, "create-webhook-endpoint", new { url = "https://partner.example/hooks", types = new[] { "order.*" } })
        );
        var id = (string)made["id"]!;
        Assert.Equal("a", (string?)Ok(await Call(client, "change-webhook-endpoint", new { id, description = "a" }))["description"]);
        Assert.Null((string?)Ok(await Call(client, "change-webhook-endpoint", new { id, description = (string?)null }))["description"]);
        Assert.NotEqual((string?)made["secret"], (string?)Ok(await Call(client, "rotate-webhook-secret", new { id }))["secret"]);
        var deleted = await Call(client, "delete-webhook-endpoint", new { id });
        Assert.Equal((false, "Done.", 204), (deleted.IsError, Text(deleted), (int)deleted.Meta!["status"]!));
        Refused(host, await Call(client, "webhook-endpoint", new { id }), 404, "not_found");

        var audit = host.Services.GetRequiredService<IAuditLog>();
        var (entries, _) = await audit.Read(new(Tenant: "acme"), null, 100, default);
        Assert.Equal(5, entries.Count(e => e.Target == id));
        Assert.Equal(Header(deleted, "X-Request-Id"), entries.First(e => e.Target == id).RequestId);

        // Only the routes of the operations are counted, and the messages that are not calls.
        await Eventually.True(
            async () =>
            {
                var log = await host.Services.GetRequiredService<RequestLog>().Read("acme", default);
                return log.Any(r =>
                        r is { Method: "DELETE", Route: "/v1/webhook-endpoints/{id}", Status: 204 }
                        && r.Id == Header(deleted, "X-Request-Id")
                    )
                    && log.Count(r => r.Route == "/mcp") is > 0 and < 4
                    && log.Count(r => r.Route.StartsWith("/v1/", StringComparison.Ordinal)) == 6;
            },
            WaitLimit
        );
        Assert.Contains(
            (await Json(await Get(host, "/v1/usage", AcmeKey)))["data"]!.AsArray(),
            r => (string?)r!["endpoint"] == "PATCH /v1/webhook-endpoints/{id}" && (int)r["requests"]! == 2
        );
    }

    [Fact]
    public async Task A_test_key_sees_nothing_live_and_a_retired_version_is_gone()
    {
        var host = Start();
        var test = (string)(await MakeKey(host, AcmeKey, "test", "orders.read", "orders.write", "account.read"))["key"]!;
        await using var client = await Connect(host, test);
        Assert.Equal("test", (string?)Ok(await Call(client, "account"))["mode"]);
        Ok(await Call(client, "place-order", Arguments("k")));
        Assert.Equal((0, 1), (Placed(Upstream), Placed(Sandbox)));

        var now = DateTimeOffset.UtcNow;
        var old = Start(
            new() { ["Versions:v1:Deprecation"] = now.AddMonths(-8).ToString("O"), ["Versions:v1:Sunset"] = now.AddDays(-1).ToString("O") }
        );
        await using var late = await Connect(old, AcmeKey);
        var gone = await Call(late, "account");
        Refused(old, gone, 410, "version_retired");
        Assert.NotNull(Header(gone, "Sunset"));
    }
}
