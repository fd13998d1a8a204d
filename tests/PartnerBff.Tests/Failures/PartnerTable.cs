using Bff.TestKit.Failures;

namespace PartnerBff.Tests.Failures;

/// <summary>The parts and services of every endpoint of the partner host, in both versions.</summary>
internal static class PartnerTable
{
    // "/" is a landing page and needs an exact match, because the other entries match every path that begins with them.
    private const string Landing = "GET /";

    private static readonly string[] WithoutServices =
    [
        "/health",
        "/internal/",
        "/problems",
        "/.well-known/",
        "/openapi",
        "/docs",
        "/portal",
        "/mcp", // Agents.FailureTests covers its calls.
        "/bff/",
        "/swagger",
        .. ((string[])["/v1", "/v2"]).SelectMany(v =>
            ((string[])["/account", "/usage", "/events", "/api-keys", "/webhook"]).Select(p => v + p)
        ),
    ];

    /// <summary>Whether the endpoint calls no service.</summary>
    public static bool AsksNoService(string route) =>
        route == Landing || WithoutServices.Any(path => route.Contains(" " + path, StringComparison.Ordinal));

    public static IReadOnlyList<FailureRow> Rows(Surroundings around) =>
        [
            .. Version(around, "/v1"),
            .. Version(around, "/v2"),
            new(
                "GET /v1/shipments",
                AnswerKind.PassThrough,
                l => Ask(around, l, HttpMethod.Get, "/v1/shipments?orderId=" + Shipped(around, l)),
                new FailurePart("shipment", "shipping", true)
            ),
        ];

    private static IEnumerable<FailureRow> Version(Surroundings around, string version)
    {
        HttpRequestMessage Get(FailureLane lane, string path) => Ask(around, lane, HttpMethod.Get, version + path);
        JsonObject Order(FailureLane lane) =>
            new() { ["currency"] = "EUR", ["items"] = new JsonArray(new JsonObject { ["product_id"] = lane.Product, ["quantity"] = 1 }) };
        HttpRequestMessage Cancel(FailureLane lane)
        {
            around.Services.Orders.SetStatus(lane.Order, "pending");
            return Ask(around, lane, HttpMethod.Post, $"{version}/orders/{lane.Order}/cancel");
        }

        return
        [
            new($"GET {version}/orders", AnswerKind.Composed, l => Get(l, "/orders"), new FailurePart("orders", "orders", true)),
            new(
                $"GET {version}/orders/{{id}}",
                AnswerKind.Composed,
                l => Get(l, "/orders/" + l.Order),
                new FailurePart("order", "orders", true)
            ),
            new(
                $"GET {version}/products",
                AnswerKind.Composed,
                l => Get(l, "/products?limit=2"),
                new FailurePart("products", "products", true)
            ),
            new(
                $"GET {version}/products/{{id}}",
                AnswerKind.Composed,
                l => Get(l, "/products/" + l.Product),
                new FailurePart("product", "products", true)
            ),
            new(
                $"GET {version}/inventory/{{product_id}}",
                AnswerKind.Composed,
                l => Get(l, "/inventory/" + l.Product),
                new FailurePart("inventory", "inventory", true)
            ),
            new(
                $"POST {version}/orders",
                AnswerKind.Composed,
                l => Ask(around, l, HttpMethod.Post, version + "/orders", Order(l)),
                new FailurePart("order", "orders", true)
            )
            {
                Sending = Sending.UnderOneKey,
            },
            new($"POST {version}/orders/{{id}}/cancel", AnswerKind.Composed, Cancel, new FailurePart("order", "orders", true))
            {
                Sending = Sending.Once,
            },
            new($"POST {version}/orders/{{id}}/cancel", AnswerKind.Composed, Cancel, new FailurePart("order", "orders", true))
            {
                Sending = Sending.UnderOneKey,
            },
            new(
                $"POST {version}/orders/batch",
                AnswerKind.Batch,
                l => Ask(around, l, HttpMethod.Post, version + "/orders/batch", new JsonObject { ["orders"] = new JsonArray(Order(l)) }),
                new FailurePart("orders", "orders", true)
            )
            {
                Sending = Sending.UnderOneKey,
            },
        ];
    }

    private static string Shipped(Surroundings around, FailureLane lane)
    {
        around.Services.Orders.SetStatus(lane.Order, "shipped");
        return lane.Order;
    }

    private static HttpRequestMessage Ask(Surroundings around, FailureLane lane, HttpMethod method, string path, JsonObject? body = null)
    {
        var token = around.Identity.MintToken(
            new TokenRequest
            {
                Sub = lane.User,
                ClientId = lane.User,
                Tid = "acme",
                Scope = "orders.read orders.write products.read inventory.read",
            }
        );
        var request = new HttpRequestMessage(method, path) { Headers = { Authorization = new("Bearer", token) } };
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json"));
        }

        return request;
    }
}
