using System.Net.Http.Headers;
using System.Text;
using Bff.TestKit.Failures;

namespace MobileBff.Tests.Failures;

/// <summary>The parts and services of every endpoint of the mobile host.</summary>
internal static class MobileTable
{
    public static readonly string[] Parts =
    [
        "home-feed:user",
        "home-feed:orders",
        "home-feed:recommendations",
        "home-feed:notifications",
        "orders:orders",
        "order:order",
        "order:shipping",
        "product:product",
        "product:pricing",
        "product:reviews",
        "product:inventory",
        "search:search",
        "sync:orders",
        "sync:notifications",
        "me:user",
    ];

    /// <summary>Endpoints that call no service.</summary>
    public static readonly string[] WithoutServices = ["/health", "/internal/", "/problems", "/.well-known/", "/openapi/", "/docs"];

    /// <summary>Tested elsewhere, because its answer reports failures per operation: see <see cref="Sync.PostSyncTests"/>.</summary>
    public static readonly string[] TriedElsewhere = ["POST /sync"];

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
            Ask(lane, HttpMethod.Post, "/orders", $$"""{"currency":"EUR","items":[{"productId":"{{lane.Product}}","quantity":1}]}""");

        return
        [
            new(
                "GET /home-feed",
                AnswerKind.Composed,
                l => Get(l, "/home-feed"),
                new("user", "users", true),
                new("orders", "orders", false, "orders"),
                new("recommendations", "recommendations", false, "recommendations"),
                new("notifications", "notifications", false, "unread")
            ),
            new("GET /orders", AnswerKind.Composed, l => Get(l, "/orders"), new FailurePart("orders", "orders", true)),
            new(
                "GET /orders/{id}",
                AnswerKind.Composed,
                l =>
                {
                    around.Services.Orders.SetStatus(l.Order, "shipped");
                    return Get(l, "/orders/" + l.Order);
                },
                new("order", "orders", true),
                new("shipping", "shipping", false, "tracking") { After = "order" }
            ),
            new(
                "GET /products/{id}",
                AnswerKind.Composed,
                l => Get(l, "/products/" + l.Product),
                new("product", "products", true),
                new("pricing", "pricing", false, "price", "currency", "discountPercent"),
                new("reviews", "reviews", false, "rating", "reviewCount"),
                new("inventory", "inventory", false, "inStock")
            ),
            new("GET /search", AnswerKind.Composed, l => Get(l, "/search?q=shoe"), new FailurePart("search", "search", true)),
            new(
                "GET /sync",
                AnswerKind.Composed,
                l => Get(l, "/sync?limit=5"),
                new("orders", "orders", true),
                new("notifications", "notifications", false, "unread")
            ),
            new("GET /me", AnswerKind.Composed, l => Get(l, "/me"), new FailurePart("user", "users", true)),
            new(
                "PATCH /me",
                AnswerKind.Composed,
                l => Ask(l, HttpMethod.Patch, "/me", """{"locale":"en-GB"}""", "application/merge-patch+json"),
                new FailurePart("user", "users", true)
            )
            {
                Sending = Sending.Once,
            },
            new("POST /orders", AnswerKind.PassThrough, Place, new FailurePart("order", "orders", true)) { Sending = Sending.Once },
            new("POST /orders", AnswerKind.PassThrough, Place, new FailurePart("order", "orders", true)) { Sending = Sending.UnderOneKey },
            new(
                "POST /notifications/{id}/read",
                AnswerKind.PassThrough,
                l => Ask(l, HttpMethod.Post, $"/notifications/n-{l.User[2..]}-12/read"),
                new FailurePart("notification", "notifications", true)
            )
            {
                Sending = Sending.Once,
            },
            new("GET /images/{file}", AnswerKind.File, l => Get(l, "/images/p-1.jpg?w=160"), new FailurePart("picture", "media", true)),
            new(
                "GET /catalogue/products",
                AnswerKind.PassThrough,
                l => Get(l, "/catalogue/products?limit=2"),
                new FailurePart("products", "products", true)
            ),
        ];
    }
}
