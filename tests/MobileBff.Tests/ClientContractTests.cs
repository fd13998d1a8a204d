using System.Text;
using System.Text.Json;
using Bff.TestKit.Contracts;
using Bff.Upstreams;
using MobileBff.Upstreams;
using static Bff.TestKit.Contracts.ClientContract;
using Picks = MobileBff.Upstreams.Recommendations;
using Reviewed = MobileBff.Upstreams.Reviews;
using Unread = MobileBff.Upstreams.Notifications;

namespace MobileBff.Tests;

/// <summary>The requests that the mobile host sends to its services, and what it reads of their answers. The services are stubs.</summary>
public sealed class ClientContractTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private const string Order =
        """{"id":"o-1","customerId":"u-1","status":"paid","placedAt":"2026-01-02T03:04:05Z","totalAmount":49.99,"currency":"EUR","items":[{"productId":"p-1","productName":"Shoe","productImageUrl":"/media/large/p-1.jpg","quantity":2,"unitPrice":20}]}""";
    private static readonly DateTimeOffset Placed = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly ListedOrder Listed = new("o-1", "paid", Placed, 49.99m, "EUR", new OrderLines(1, "/media/large/p-1.jpg"));

    private static readonly ClientContract[] Table =
    [
        Of(
            (IUsers users) => users.Get("u-1"),
            "GET /users/u-1",
            """{"id":"u-1","name":"Al","avatarUrl":"/media/large/u-1.jpg","plan":"pro"}""",
            new User("u-1", "Al", "/media/large/u-1.jpg"),
            required: "id,name,avatarUrl"
        ),
        Of(
            (IUsers users) => users.Profile("u-1"),
            "GET /users/u-1",
            """{"id":"u-1","name":"Al","email":"al@example.com","avatarUrl":"/a","locale":"en","preferences":{"mobile":{}}}""",
            new UserProfile("u-1", "Al", "al@example.com", "/a", "en", new UserPreferences(new Dictionary<string, JsonElement>())),
            required: "id,name"
        ),
        Of(
            (IUsers users) => users.Change("u-1", new WrittenJson(Encoding.UTF8.GetBytes("""{"locale":"fr"}"""))),
            "PATCH /users/u-1",
            """{"id":"u-1","name":"Al"}""",
            new UserProfile("u-1", "Al", null, null, null, null),
            required: "id,name",
            body: """{"locale":"fr"}"""
        ),
        Of(
            (IOrders orders) => orders.Latest("u-1", 5, "next page"),
            "GET /users/u-1/orders?limit=5&cursor=next%20page",
            $$"""{"items":[{{Order}}],"nextCursor":"n"}""",
            new OrderPage(new[] { Listed }, "n"),
            required: "items"
        ),
        Of(
            (IOrders orders) => orders.Get("o-1"),
            "GET /orders/o-1",
            Order,
            new Order("o-1", "paid", Placed, 49.99m, "EUR", new[] { new OrderLine("p-1", "Shoe", "/media/large/p-1.jpg", 2, 20) }),
            required: "id,status,placedAt,totalAmount,currency,items"
        ),
        Of(
            (IOrders orders) => orders.Changes("u-1", 5, "t-1"),
            "GET /users/u-1/orders/changes?limit=5&since=t-1",
            $$"""{"items":[{{Order}}],"deleted":["o-4"],"nextToken":"t-2","hasMore":true}""",
            new OrderChanges(new[] { Listed }, new[] { "o-4" }, "t-2", true),
            required: "items,deleted,nextToken,hasMore"
        ),
        Of((IOrders orders) => orders.Place(), "POST /orders", "", NoContent.Instance),
        Of(
            (IOrders orders) => orders.Place(new WrittenJson(Encoding.UTF8.GetBytes("""{"items":[]}""")), "op-1"),
            "POST /orders",
            Order,
            new Order("o-1", "paid", Placed, 49.99m, "EUR", new[] { new OrderLine("p-1", "Shoe", "/media/large/p-1.jpg", 2, 20) }),
            required: "id,status,placedAt,totalAmount,currency,items",
            body: """{"items":[]}"""
        ),
        Of(
            (IRecommendations picks) => picks.For("u-1", 10),
            "GET /users/u-1/recommendations?limit=10",
            """{"items":[{"productId":"p-1","name":"Shoe","imageUrl":"/i","price":49.99,"currency":"EUR","score":0.9}]}""",
            new Picks(new[] { new Recommendation("p-1", "Shoe", "/i", 49.99m, "EUR") }),
            required: "items"
        ),
        Of(
            (INotifications notifications) => notifications.Unread("u-1"),
            "GET /users/u-1/notifications?unread=true&limit=1",
            """{"unreadCount":3,"items":[]}""",
            new Unread(3),
            required: "unreadCount"
        ),
        Of(
            (INotifications notifications) => notifications.MarkRead("u-1", "n-1"),
            "POST /users/u-1/notifications/n-1/read",
            "",
            NoContent.Instance
        ),
        Of(
            (IProducts products) => products.Get("p-1"),
            "GET /products/p-1",
            """{"id":"p-1","name":"Shoe","imageUrl":"/i","brand":"Norrland"}""",
            new Product("p-1", "Shoe", "/i"),
            required: "id,name,imageUrl"
        ),
        Of(
            (IReviews reviews) => reviews.Summary("p-1"),
            "GET /products/p-1/reviews?limit=1",
            """{"items":[],"summary":{"average":4.3,"count":128,"histogram":{"5":68}}}""",
            new Reviewed(new ReviewSummary(4.3, 128)),
            required: "summary"
        ),
        Of(
            (IInventory inventory) => inventory.Get("p-1"),
            "GET /inventory/p-1",
            """{"productId":"p-1","inStock":true,"quantity":12}""",
            new Stock("p-1", true),
            required: "productId,inStock"
        ),
        Of(
            (IPricing pricing) => pricing.Get("p-1"),
            "POST /graphql",
            """{"data":{"pricing":{"productId":"p-1","current":49.99,"currency":"EUR","discount":{"percentage":10}}}}""",
            new Price("p-1", 49.99m, "EUR", new Discount(10)),
            required: "data",
            body: """{"query":"query($id: ID!) { pricing(productId: $id) { productId current currency discount { percentage } } }","variables":{"id":"p-1"}}"""
        ),
        Of(
            (IShipping shipping) => shipping.ForOrder("o-1"),
            "GET /shipments?orderId=o-1",
            """{"orderId":"o-1","carrier":"Post","trackingNumber":"T1","estimatedDelivery":"2026-01-02T03:04:05Z","events":[]}""",
            new Shipment("Post", "T1", Placed),
            required: "carrier,trackingNumber,estimatedDelivery"
        ),
        Of(
            (ISearch search) => search.Find("red shoe", 5),
            "GET /search?q=red%20shoe&limit=5",
            """{"items":[{"productId":"p-1","name":"Shoe","imageUrl":"/i","price":49.99,"currency":"EUR"}],"total":41}""",
            new Hits(new[] { new Hit("p-1", "Shoe", "/i", 49.99m, "EUR") }, 41),
            required: "items,total"
        ),
        Of(
            (IMedia media) => media.Large("p-1.jpg"),
            "GET /media/large/p-1.jpg",
            "picture",
            new UpstreamFile("picture"u8.ToArray(), "image/jpeg"),
            type: "image/jpeg"
        ),
        Of(
            (IMedia media) => media.Thumb("p-1.png"),
            "GET /media/thumb/p-1.png",
            "picture",
            new UpstreamFile("picture"u8.ToArray(), "image/png"),
            type: "image/png"
        ),
    ];

    [Fact]
    public async Task Every_call_sends_and_reads_what_the_table_says()
    {
        using var stub = ServiceStub.Start();
        var host = Start(Upstream.All.ToDictionary(s => $"Upstreams:{s.Name}:Address", _ => (string?)stub.Address));

        Assert.Empty(await ClientContracts.Check(host.Services, stub, Table));
    }

    [Fact]
    public void Every_call_is_in_the_table() => Assert.Empty(ClientContracts.Missing(typeof(IUsers).Assembly, Table));
}
