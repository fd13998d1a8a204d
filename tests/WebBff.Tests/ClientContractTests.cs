using Bff.Requests;
using Bff.TestKit.Contracts;
using Bff.Upstreams;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using WebBff.Upstreams;
using static Bff.TestKit.Contracts.ClientContract;

namespace WebBff.Tests;

/// <summary>The requests that the web host sends to its services, and what it reads of their answers. The services are stubs.</summary>
public sealed class ClientContractTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private const string Order =
        """{"id":"o-1","customerId":"u-1","status":"paid","placedAt":"2026-01-02T03:04:05Z","totalAmount":49.99,"currency":"EUR","items":[{"productId":"p-1","quantity":2,"unitPrice":20}],"reference":"po-7"}""";
    private const string Pick = """{"productId":"p-1","name":"Shoe","imageUrl":"/i","price":49.99,"currency":"EUR","score":0.9}""";
    private const string Listed = """{"id":"p-1","name":"Shoe","brand":"Norrland","imageUrl":"/i"}""";
    private const string PriceOfOne =
        """{"productId":"p-1","current":49.99,"currency":"EUR","discount":{"percentage":10,"validUntil":"2026-01-02T03:04:05Z"}}""";
    private static readonly DateTimeOffset Then = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly Order Read = new("o-1", "u-1", "paid", Then, 49.99m, "EUR", [new OrderLine("p-1", 2, 20)], "po-7");
    private static readonly Price Priced = new("p-1", 49.99m, "EUR", new Discount(10, Then));
    private static readonly PickList Picks = new([new Pick("p-1", "Shoe", 49.99m, "EUR", "/i", 0.9)]);
    private static readonly Product Shoe = new("p-1", "Shoe", Brand: "Norrland", ImageUrl: "/i");

    private static readonly ClientContract[] Table =
    [
        Of(
            (IUsers users) => users.Get("u-1"),
            "GET /users/u-1",
            """{"id":"u-1","name":"Al","email":"al@example.com","plan":"pro","avatarUrl":"/a","locale":"en"}""",
            new User("u-1", "Al", "al@example.com", "pro", "/a"),
            required: "id,name"
        ),
        Of((IUsers users) => users.Change("u-1"), "PATCH /users/u-1", "", NoContent.Instance),
        Of(
            (IOrders orders) => orders.Latest("u-1", 5, "next page"),
            "GET /users/u-1/orders?limit=5&cursor=next%20page",
            $$"""{"items":[{{Order}}],"nextCursor":"n"}""",
            new OrderList(new[] { Read }, "n"),
            required: "items"
        ),
        Of(
            (IOrders orders) => orders.Get("o-1"),
            "GET /orders/o-1",
            Order,
            Read,
            required: "id,customerId,status,placedAt,totalAmount,currency,items"
        ),
        Of((IOrders orders) => orders.Place(), "POST /orders", "", NoContent.Instance),
        Of((IOrders orders) => orders.Cancel("o-1"), "POST /orders/o-1/cancel", "", NoContent.Instance),
        Of(
            (IProducts products) => products.List(20, "c-1", "shoes"),
            "GET /products?limit=20&cursor=c-1&category=shoes",
            $$"""{"items":[{{Listed}}],"nextCursor":"n"}""",
            new ProductList(new[] { Shoe }, "n"),
            required: "items"
        ),
        Of(
            (IProducts products) => products.Batch(new[] { "p-1", "p&2" }),
            "GET /products?ids=p-1%2Cp%262",
            $$"""{"items":[{{Listed}}]}""",
            new ProductList(new[] { Shoe }, null),
            required: "items"
        ),
        Of(
            (IProducts products) => products.Of(new[] { "p-1" }),
            "GET /products?ids=p-1",
            $$"""{"items":[{{Listed}}]}""",
            new ProductList([Shoe]),
            required: "items"
        ),
        Of(
            (IReviews reviews) => reviews.Of("p-1", 10, "c-1"),
            "GET /products/p-1/reviews?limit=10&cursor=c-1",
            """{"items":[{"id":"r-1","productId":"p-1","rating":5,"title":"Good","createdAt":"2026-01-02T03:04:05Z","author":{"id":"u-2","name":"Bo"}}],"summary":{"average":4.3,"count":128,"histogram":{"5":68}},"nextCursor":"n"}""",
            new ReviewList(
                new[] { new Review("r-1", 5, Then, "Good", null, new ReviewAuthor("u-2", "Bo")) },
                new ReviewSummary(4.3, 128, new Dictionary<string, int> { ["5"] = 68 }),
                "n"
            ),
            required: "items,summary"
        ),
        Of(
            (IInventory inventory) => inventory.Get("p-1"),
            "GET /inventory/p-1",
            """{"productId":"p-1","inStock":true,"quantity":12,"updatedAt":"2026-01-02T03:04:05Z"}""",
            new Stock("p-1", true, 12),
            required: "productId,inStock,quantity"
        ),
        Of(
            (IInventory inventory) => inventory.Batch(new[] { "p-1", "p-2" }),
            "GET /inventory?ids=p-1%2Cp-2",
            """{"items":[{"productId":"p-1","inStock":true,"quantity":12}]}""",
            new StockList(new[] { new Stock("p-1", true, 12) }),
            required: "items"
        ),
        Of(
            (IInventory inventory) => inventory.Of(new[] { "p-1" }),
            "GET /inventory?ids=p-1",
            """{"items":[{"productId":"p-1","inStock":true,"quantity":12}]}""",
            new StockList([new Stock("p-1", true, 12)]),
            required: "items"
        ),
        Of(
            (IPricing pricing) => pricing.Get("p-1"),
            "POST /graphql",
            $$$"""{"data":{"pricing":{{{PriceOfOne}}}}}""",
            Priced,
            required: "data",
            body: """{"query":"query($id: ID!) { pricing(productId: $id) { productId current currency discount { percentage validUntil } } }","variables":{"id":"p-1"}}"""
        ),
        Of(
            (IPricing pricing) => pricing.Batch(new[] { "p-1", "p-2" }),
            "POST /graphql",
            $$$"""{"data":{"prices":[{{{PriceOfOne}}},null]}}""",
            new PriceList(new[] { Priced }),
            required: "data",
            body: """{"query":"query($ids: [ID!]!) { prices(productIds: $ids) { productId current currency discount { percentage validUntil } } }","variables":{"ids":["p-1","p-2"]}}"""
        ),
        Of(
            (IRecommendations picks) => picks.For("u-1", 10),
            "GET /users/u-1/recommendations?limit=10",
            $$"""{"items":[{{Pick}}]}""",
            Picks,
            required: "items"
        ),
        Of(
            (IRecommendations picks) => picks.Related("p-1", 4),
            "GET /products/p-1/related?limit=4",
            $$"""{"items":[{{Pick}}]}""",
            Picks,
            required: "items"
        ),
        Of(
            (INotifications notifications) => notifications.Unread("u-1"),
            "GET /users/u-1/notifications?unread=true&limit=10",
            """{"unreadCount":3,"items":[{"id":"n-1","type":"order","title":"Shipped","body":"On its way","createdAt":"2026-01-02T03:04:05Z","read":false}]}""",
            new NotificationList(3, new[] { new Notification("n-1", "order", "Shipped", Then, false, "On its way") }),
            required: "unreadCount,items"
        ),
        Of(
            (INotifications notifications) => notifications.MarkRead("u-1", "n-1"),
            "POST /users/u-1/notifications/n-1/read",
            "",
            NoContent.Instance
        ),
        Of(
            (IShipping shipping) => shipping.ForOrder("o-1"),
            "GET /shipments?orderId=o-1",
            """{"orderId":"o-1","carrier":"Post","trackingNumber":"T1","status":"sent","estimatedDelivery":"2026-01-02T03:04:05Z","events":[]}""",
            new Shipment("T1", "Post", Then, "sent")
        ),
        Of(
            (ISearch search) => search.Find("red shoe", 5),
            "GET /search?q=red%20shoe&limit=5",
            """{"items":[{"productId":"p-1","name":"Shoe","imageUrl":"/i","price":49.99,"currency":"EUR"}],"total":41}""",
            new HitList(new[] { new Hit("p-1", "Shoe", 49.99m, "EUR", "/i") }, 41),
            required: "items,total"
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

    /// <summary>A gRPC status, as the client reads it.</summary>
    [Theory]
    [InlineData(5, UpstreamOutcome.NotFound)]
    [InlineData(7, UpstreamOutcome.NotFound)]
    [InlineData(4, UpstreamOutcome.Timeout)]
    [InlineData(3, UpstreamOutcome.Failed)]
    [InlineData(14, UpstreamOutcome.Failed)]
    [InlineData(99, UpstreamOutcome.Failed)]
    public async Task The_catalogue_client_reads_the_message_or_status_of_a_grpc_call(int status, UpstreamOutcome expected)
    {
        using var stub = ServiceStub.Start(http2: true);
        var catalog = Start(new() { ["Upstreams:catalog:Address"] = stub.Address }).Services.GetRequiredService<CatalogClient>();

        var message = new Catalog.V1.Product
        {
            Id = "p-1",
            Name = "Shoe",
            Brand = "Norrland",
            ImageUrl = "/i",
            Gallery = { "/g" },
            Attributes = { ["weight"] = "280 g" },
        };
        message.Variants.Add(new Catalog.V1.Variant { Sku = "p-1-42", Size = "42" });
        stub.AnswerGrpc(message.ToByteArray(), 0);
        var good = await Ask(catalog);
        var sent = Assert.Single(stub.TakeRequests());

        Assert.Equal("POST /catalog.v1.ProductCatalog/GetProduct", sent.Line);
        Assert.Equal(
            new Catalog.V1.GetProductRequest { Id = "p-1" },
            Catalog.V1.GetProductRequest.Parser.ParseFrom(sent.Bytes, 5, sent.Bytes.Length - 5)
        );
        Assert.Equal([0, 0, 0, 0, (byte)(sent.Bytes.Length - 5)], sent.Bytes[..5]);
        Assert.Equal(
            ("application/grpc", "trailers", "identity", "r-1"),
            (sent.Header("Content-Type"), sent.Header("TE"), sent.Header("grpc-accept-encoding"), sent.Header("X-Request-Id"))
        );
        Assert.Equivalent(
            new Product(
                "p-1",
                "Shoe",
                Brand: "Norrland",
                ImageUrl: "/i",
                Gallery: ["/g"],
                Attributes: new Dictionary<string, string> { ["weight"] = "280 g" },
                Variants: [new ProductVariant("p-1-42", "42")]
            ),
            good.Value,
            strict: true
        );

        stub.AnswerGrpc(null, status);
        Assert.Equal(expected, (await Ask(catalog)).Outcome);
        stub.AnswerGrpc(new Catalog.V1.Product { Id = "p-1" }.ToByteArray(), 0);
        Assert.Equal(UpstreamOutcome.Failed, (await Ask(catalog)).Outcome); // A product without its name is invalid.
        stub.AnswerGrpc(null, 0);
        Assert.Equal(UpstreamOutcome.Failed, (await Ask(catalog)).Outcome); // A status of success without a message is invalid.
    }

    private static ValueTask<UpstreamAnswer<Product>> Ask(CatalogClient catalog) =>
        catalog
            .Get("p-1")
            .For(
                new BffRequest
                {
                    RequestId = "r-1",
                    CorrelationId = "c-1",
                    StartTimestamp = 0,
                },
                WaitLimit,
                CancellationToken.None
            );
}
