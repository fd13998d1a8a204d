using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bff.TestKit;
using PartnerBff.Tests.Webhooks;

namespace PartnerBff.Tests.Contract;

/// <summary>
/// Compares every answer of a version with the file beside this one, which holds members, types and statuses as they were promised. New
/// members need no change of the file, but everything in it must stay. <c>BFF_UPDATE_GOLDEN=1</c> rewrites the file: any difference other
/// than an addition breaks partners.
/// </summary>
public sealed class GoldenFileTests(SharedSurroundings surroundings) : WebhookTest(surroundings)
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [Theory, InlineData("v1"), InlineData("v2")]
    public async Task Every_answer_has_what_was_promised(string version)
    {
        await using var receiver = await Receiver.Start();
        var answers = await Ask(StartForWebhooks(), version, receiver.Url);

        var file = Checkout.At("tests/PartnerBff.Tests/Contract", version + ".json");
        if (Environment.GetEnvironmentVariable("BFF_UPDATE_GOLDEN") == "1")
        {
            await File.WriteAllTextAsync(file, answers.ToJsonString(Readable) + "\n");
        }

        var promised = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        Assert.Empty(Broken("", promised, answers));
        Assert.Equal(promised.AsObject().Count, answers.Count);
    }

    private static async Task<JsonObject> Ask(PartnerHost host, string version, string hook)
    {
        var answers = new JsonObject();
        async Task<JsonNode> Call(HttpMethod method, string path, string route, JsonNode? body = null, string? key = null)
        {
            var answer = await Send(host, method, $"/{version}{path}", AcmeKey, body, key);
            var json = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            answers[$"{method} {route} {(int)answer.StatusCode}"] = Shape(json);
            return json;
        }

        var order = await Call(HttpMethod.Post, "/orders", "/orders", Order(quantity: 2, reference: "po-1"), "one");
        await Call(HttpMethod.Post, "/orders", "/orders", Order(quantity: 3), "one");
        await Call(HttpMethod.Post, "/orders", "/orders", Order(quantity: 0), "bad");
        await Call(HttpMethod.Get, "/orders?limit=1", "/orders");
        await Call(HttpMethod.Get, "/orders/" + order["id"], "/orders/{id}");
        await Call(HttpMethod.Get, "/orders/o-none", "/orders/{id}");
        await Call(HttpMethod.Post, $"/orders/{order["id"]}/cancel", "/orders/{id}/cancel");
        await Call(
            HttpMethod.Post,
            "/orders/batch",
            "/orders/batch",
            new JsonObject { ["orders"] = new JsonArray(Order(reference: "b"), Order(quantity: 0)) },
            "batch"
        );
        await Call(HttpMethod.Get, "/products?limit=1", "/products");
        await Call(HttpMethod.Get, "/products/p-1", "/products/{id}");
        await Call(HttpMethod.Get, "/inventory/p-1", "/inventory/{product_id}");
        await Call(HttpMethod.Get, "/account", "/account");
        await Call(HttpMethod.Get, "/usage", "/usage");
        await Publish(host, "acme");
        await Call(HttpMethod.Get, "/events?limit=1", "/events");

        var key = await Call(
            HttpMethod.Post,
            "/api-keys",
            "/api-keys",
            new JsonObject
            {
                ["name"] = "ci",
                ["scopes"] = new JsonArray("orders.read"),
                ["expires_at"] = "2999-01-01T00:00:00Z",
            }
        );
        await Call(HttpMethod.Post, $"/api-keys/{key["id"]}/rotate", "/api-keys/{id}/rotate", new JsonObject { ["overlap_seconds"] = 60 });
        await Call(HttpMethod.Get, "/api-keys?limit=1", "/api-keys");

        var endpoint = await Call(
            HttpMethod.Post,
            "/webhook-endpoints",
            "/webhook-endpoints",
            new JsonObject
            {
                ["url"] = hook,
                ["types"] = new JsonArray("order.*"),
                ["description"] = "warehouse",
            }
        );
        var one = $"/webhook-endpoints/{endpoint["id"]}";
        await Call(HttpMethod.Get, "/webhook-endpoints", "/webhook-endpoints");
        await Call(HttpMethod.Get, one, "/webhook-endpoints/{id}");
        await Call(HttpMethod.Patch, one, "/webhook-endpoints/{id}", new JsonObject { ["enabled"] = true });
        await Call(HttpMethod.Post, one + "/rotate-secret", "/webhook-endpoints/{id}/rotate-secret");
        await Call(HttpMethod.Post, one + "/test", "/webhook-endpoints/{id}/test");
        await Until(async () =>
            (string?)(await Json(await Get(host, $"/{version}{one}/deliveries", AcmeKey)))["data"]![0]!["status"] == "delivered"
        );
        var deliveries = await Call(HttpMethod.Get, one + "/deliveries", "/webhook-endpoints/{id}/deliveries");
        await Call(HttpMethod.Post, $"/webhook-deliveries/{deliveries["data"]![0]!["id"]}/retry", "/webhook-deliveries/{id}/retry");
        return answers;
    }

    /// <summary>Keeps members, replaces values by their types and keeps only the first entry of a list.</summary>
    private static JsonNode? Shape(JsonNode? node) =>
        node switch
        {
            null => null,
            JsonObject members => new JsonObject(members.Select(m => KeyValuePair.Create(m.Key, Shape(m.Value)))),
            JsonArray { Count: 0 } => new JsonArray(),
            JsonArray entries => new JsonArray(Shape(entries[0])),
            _ when node.GetValueKind() == JsonValueKind.Number => "number",
            _ when node.GetValueKind() is JsonValueKind.True or JsonValueKind.False => "flag",
            _ when DateTimeOffset.TryParseExact(
                    (string)node!,
                    "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'",
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal,
                    out _
                ) => "time",
            // The last characters of a random key happen to be four digits now and then.
            _ when node.GetPath().EndsWith(".last_four", StringComparison.Ordinal) => "text",
            _ when decimal.TryParse((string)node!, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _) => "decimal text",
            _ => "text",
        };

    private static IEnumerable<string> Broken(string at, JsonNode? promised, JsonNode? found) =>
        (promised, found) switch
        {
            (null, _) => [], // The promised answer had no value here, so no type was promised.
            (JsonObject wanted, JsonObject members) => wanted.SelectMany(m =>
                members.ContainsKey(m.Key) ? Broken($"{at}/{m.Key}", m.Value, members[m.Key]) : [$"{at}/{m.Key} is gone"]
            ),
            (JsonArray { Count: > 0 } wanted, JsonArray { Count: > 0 } entries) => Broken(at + "[0]", wanted[0], entries[0]),
            _ => JsonNode.DeepEquals(promised, found)
                ? []
                : [$"{at} was {promised?.ToJsonString() ?? "null"}, is {found?.ToJsonString() ?? "null"}"],
        };
}
