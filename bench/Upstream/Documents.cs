using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bff.Bench.Upstream;

/// <summary>The services' documents, 1 to 6 KB each, with many more members than a gateway reads.</summary>
internal static class Documents
{
    private static readonly byte[] User = Bytes(
        new JsonObject
        {
            ["id"] = "u-1",
            ["name"] = "Ada Example",
            ["email"] = "ada@example.com",
            ["avatarUrl"] = "/media/large/avatar-1.jpg",
            ["plan"] = "premium",
            ["locale"] = "de-DE",
            ["createdAt"] = "2024-03-01T09:00:00Z",
            ["address"] = Address(),
            ["preferences"] = new JsonObject
            {
                ["mobile"] = new JsonObject { ["theme"] = "dark", ["pushEnabled"] = true },
                ["web"] = new JsonObject { ["density"] = "compact" },
            },
            ["labels"] = Repeat(12, i => $"label-{i:000}"),
            ["biography"] = Words(80),
        }
    );

    private static readonly byte[] Orders = Bytes(
        new JsonObject
        {
            ["items"] = Repeat(5, Order),
            ["nextCursor"] = "b3JkZXItNQ",
            ["total"] = 148,
        }
    );

    private static readonly byte[] Recommendations = Bytes(
        new JsonObject
        {
            ["items"] = Repeat(
                10,
                i => new JsonObject
                {
                    ["productId"] = $"p-{i}",
                    ["name"] = $"Pick number {i}",
                    ["imageUrl"] = $"/media/large/p-{i}.jpg",
                    ["price"] = 19.9m + i,
                    ["currency"] = "EUR",
                    ["score"] = 0.91,
                    ["reason"] = Words(14),
                    ["model"] = "ranker-2026-02",
                }
            ),
            ["generatedAt"] = "2026-01-15T10:00:00Z",
        }
    );

    private static readonly byte[] Notifications = Bytes(
        new JsonObject
        {
            ["unreadCount"] = 3,
            ["items"] = Repeat(
                4,
                i => new JsonObject
                {
                    ["id"] = $"n-{i}",
                    ["type"] = "order.shipped",
                    ["title"] = "Your order is on its way",
                    ["body"] = Words(20),
                    ["createdAt"] = "2026-01-15T10:00:00Z",
                    ["read"] = false,
                    ["importance"] = "normal",
                }
            ),
        }
    );

    private static readonly byte[] Product = Bytes(ProductOf(1));
    private static readonly byte[] Products = Bytes(new JsonObject { ["items"] = Repeat(6, ProductOf), ["total"] = 240 });

    private static readonly byte[] Reviews = Bytes(
        new JsonObject
        {
            ["summary"] = new JsonObject
            {
                ["average"] = 4.4,
                ["count"] = 311,
                ["histogram"] = new JsonObject
                {
                    ["5"] = 200,
                    ["4"] = 80,
                    ["3"] = 20,
                    ["2"] = 6,
                    ["1"] = 5,
                },
            },
            ["items"] = Repeat(
                3,
                i => new JsonObject
                {
                    ["id"] = $"r-{i}",
                    ["productId"] = "p-1",
                    ["rating"] = 5,
                    ["title"] = Words(4),
                    ["body"] = Words(50),
                    ["author"] = new JsonObject { ["id"] = "u-9", ["name"] = "Grace" },
                    ["createdAt"] = "2026-01-02T08:00:00Z",
                    ["verifiedPurchase"] = true,
                }
            ),
        }
    );

    private static readonly byte[] Inventory = Bytes(
        new JsonObject
        {
            ["productId"] = "p-1",
            ["inStock"] = true,
            ["quantity"] = 87,
            ["updatedAt"] = "2026-01-15T10:00:00Z",
            ["restockExpectedAt"] = null,
            ["warehouses"] = Repeat(24, i => new JsonObject { ["id"] = $"warehouse-{i:00}", ["quantity"] = i * 3 }),
        }
    );

    private static readonly byte[] Pricing = Bytes(
        new JsonObject
        {
            ["data"] = new JsonObject
            {
                ["pricing"] = new JsonObject
                {
                    ["productId"] = "p-1",
                    ["current"] = 129.5m,
                    ["currency"] = "EUR",
                    ["discount"] = new JsonObject { ["percentage"] = 15 },
                },
            },
            ["extensions"] = new JsonObject { ["trace"] = Words(120) },
        }
    );

    public static byte[] Of(string service) =>
        service switch
        {
            "users" => User,
            "orders" => Orders,
            "recommendations" => Recommendations,
            "notifications" => Notifications,
            "product" => Product,
            "products" => Products,
            "reviews" => Reviews,
            "inventory" => Inventory,
            _ => Pricing,
        };

    private static JsonObject Order(int i) =>
        new()
        {
            ["id"] = $"o-{i}",
            ["customerId"] = "u-1",
            ["status"] = "shipped",
            ["placedAt"] = "2026-01-10T12:30:00Z",
            ["updatedAt"] = "2026-01-12T07:00:00Z",
            ["totalAmount"] = 249.7m,
            ["currency"] = "EUR",
            ["shippingAddress"] = Address(),
            ["channel"] = "app",
            ["schemaVersion"] = 7,
            ["items"] = Repeat(
                3,
                line => new JsonObject
                {
                    ["productId"] = $"p-{line}",
                    ["productName"] = "A thing of some use",
                    ["productImageUrl"] = $"/media/large/p-{line}.jpg",
                    ["quantity"] = 2,
                    ["unitPrice"] = 41.6m,
                }
            ),
        };

    private static JsonObject ProductOf(int i) =>
        new()
        {
            ["id"] = $"p-{i}",
            ["name"] = $"Product {i}",
            ["description"] = Words(40),
            ["brand"] = "Example",
            ["category"] = "things",
            ["imageUrl"] = $"/media/large/p-{i}.jpg",
            ["gallery"] = Repeat(4, g => $"/media/large/p-{i}-{g}.jpg"),
            ["attributes"] = new JsonObject
            {
                ["color"] = "blue",
                ["weight"] = "1.2 kg",
                ["material"] = "steel",
            },
            ["updatedAt"] = "2026-01-12T07:00:00Z",
            ["sustainability"] = new JsonObject { ["score"] = 71, ["certificates"] = Repeat(2, c => $"certificate-{c}") },
        };

    private static JsonObject Address() =>
        new()
        {
            ["line1"] = "Example street 1",
            ["city"] = "Berlin",
            ["postalCode"] = "10115",
            ["country"] = "DE",
        };

    private static JsonArray Repeat(int count, Func<int, JsonNode?> item) => [.. Enumerable.Range(0, count).Select(item)];

    private static string Words(int count) =>
        string.Join(
            ' ',
            Enumerable
                .Range(0, count)
                .Select(i =>
                    (i % 5) switch
                    {
                        0 => "steady",
                        1 => "as",
                        2 => "the",
                        3 => "harbour",
                        _ => "wall",
                    }
                )
        );

    private static byte[] Bytes(JsonNode document) => Encoding.UTF8.GetBytes(document.ToJsonString(JsonSerializerOptions.Web));
}
