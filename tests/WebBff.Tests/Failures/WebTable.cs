using System.Net.Http.Headers;
using System.Text;
using Bff.TestKit.Failures;

namespace WebBff.Tests.Failures;

/// <summary>The parts and services of every endpoint of the web host.</summary>
internal static class WebTable
{
    /// <summary>Endpoints that call no service, and WebSockets, which have no answer to compare.</summary>
    public static readonly string[] WithoutServices =
    [
        "/health",
        "/internal/",
        "/problems",
        "/.well-known/",
        "/openapi/",
        "/docs",
        "/bff/",
        "/api/events",
        "/api/ws/",
        "/api/dev/",
        "/{**",
        "/{*",
    ];

    public static IReadOnlyList<FailureRow> Rows(Surroundings around)
    {
        HttpRequestMessage Ask(FailureLane lane, HttpMethod method, string path, string? body = null, string type = "application/json")
        {
            var request = new HttpRequestMessage(method, path) { Headers = { Authorization = new("Bearer", around.Token(lane.User)) } };
            if (body is not null)
            {
                request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body))
                {
                    Headers = { ContentType = new MediaTypeHeaderValue(type) },
                };
            }

            return request;
        }

        HttpRequestMessage Get(FailureLane lane, string path) => Ask(lane, HttpMethod.Get, path);
        HttpRequestMessage Place(FailureLane lane) =>
            Ask(lane, HttpMethod.Post, "/api/orders", $$"""{"currency":"EUR","items":[{"productId":"{{lane.Product}}","quantity":1}]}""");
        HttpRequestMessage Cancel(FailureLane lane)
        {
            around.Services.Orders.SetStatus(lane.Order, "pending");
            return Ask(lane, HttpMethod.Post, $"/api/orders/{lane.Order}/cancel");
        }

        return
        [
            new(
                "GET /api/dashboard",
                AnswerKind.Composed,
                l => Get(l, "/api/dashboard"),
                new("user", "users", true),
                new("orders", "orders", false, "recentOrders"),
                new("notifications", "notifications", false, "notifications"),
                new("recommendations", "recommendations", false, "recommendations")
            ),
            new(
                "GET /api/products",
                AnswerKind.Composed,
                l => Get(l, "/api/products?limit=3"),
                new("products", "products", true),
                new("pricing", "pricing", false, "items[].price", "items[].currency", "items[].discount") { After = "products" },
                new("inventory", "inventory", false, "items[].inStock") { After = "products" }
            ),
            new(
                "GET /api/products/{id}",
                AnswerKind.Composed,
                l => Get(l, "/api/products/" + l.Product),
                new("product", "catalog", true),
                new("pricing", "pricing", false, "pricing"),
                new("inventory", "inventory", false, "inventory"),
                new("reviews", "reviews", false, "reviews"),
                new("related", "recommendations", false, "related")
            ),
            new(
                "GET /api/products/{id}/reviews",
                AnswerKind.Composed,
                l => Get(l, $"/api/products/{l.Product}/reviews"),
                new FailurePart("reviews", "reviews", true)
            ),
            new("GET /api/orders", AnswerKind.Composed, l => Get(l, "/api/orders"), new FailurePart("orders", "orders", true)),
            new(
                "GET /api/orders/{id}",
                AnswerKind.Composed,
                l =>
                {
                    around.Services.Orders.SetStatus(l.Order, "shipped");
                    return Get(l, "/api/orders/" + l.Order);
                },
                new("order", "orders", true),
                new("customer", "users", false, "customer") { After = "order" },
                new("products", "products", false) { After = "order", HasStandIn = true },
                new("shipping", "shipping", false, "shipping") { After = "order" }
            ),
            new("GET /api/search", AnswerKind.Composed, l => Get(l, "/api/search?q=shoe"), new FailurePart("search", "search", true)),
            new(
                "PATCH /api/profile",
                AnswerKind.PassThrough,
                l => Ask(l, HttpMethod.Patch, "/api/profile", """{"locale":"en-GB"}""", "application/merge-patch+json"),
                new FailurePart("user", "users", true)
            )
            {
                Sending = Sending.Once,
            },
            new("POST /api/orders", AnswerKind.PassThrough, Place, new FailurePart("order", "orders", true)) { Sending = Sending.Once },
            new("POST /api/orders", AnswerKind.PassThrough, Place, new FailurePart("order", "orders", true))
            {
                Sending = Sending.UnderOneKey,
            },
            new("POST /api/orders/{id}/cancel", AnswerKind.PassThrough, Cancel, new FailurePart("order", "orders", true))
            {
                Sending = Sending.Once,
            },
            new("POST /api/orders/{id}/cancel", AnswerKind.PassThrough, Cancel, new FailurePart("order", "orders", true))
            {
                Sending = Sending.UnderOneKey,
            },
            new(
                "POST /api/notifications/{id}/read",
                AnswerKind.PassThrough,
                l => Ask(l, HttpMethod.Post, $"/api/notifications/n-{l.User[2..]}-12/read"),
                new FailurePart("notification", "notifications", true)
            )
            {
                Sending = Sending.Once,
            },
            new(
                "GET /media/{size}/{file}",
                AnswerKind.PassThrough,
                l => Get(l, "/media/thumb/p-1.jpg"),
                new FailurePart("picture", "media", true)
            ),
        ];
    }
}
