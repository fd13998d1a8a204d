using Bff.TestKit.Contracts;
using PartnerBff.Upstreams;
using static Bff.TestKit.Contracts.ClientContract;

namespace PartnerBff.Tests;

/// <summary>The requests that the partner host sends to its services, and what it reads of their answers. The services are stubs.</summary>
public sealed class ClientContractTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    private const string OrderAnswer =
        """{"id":"o-1","customerId":"c-1","status":"paid","placedAt":"2026-01-02T03:04:05Z","totalAmount":49.99,"currency":"EUR","items":[{"productId":"p-1","productName":"Shoe","quantity":2,"unitPrice":20}],"reference":"po-7"}""";
    private const string ProductAnswer =
        """{"id":"p-1","name":"Shoe","description":"Long","brand":"Norrland","category":"shoes","imageUrl":"/i","attributes":{"weight":"280 g"},"variants":[{"sku":"p-1-42","size":"42","color":"black"}],"updatedAt":"2026-01-02T03:04:05Z"}""";
    private static readonly DateTimeOffset Then = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly PartnerBff.Upstreams.Order Read = new(
        "o-1",
        "paid",
        Then,
        49.99m,
        "EUR",
        [new OrderLine("p-1", 2, 20, "Shoe")],
        "po-7"
    );
    private static readonly Product Shoe = new(
        "p-1",
        "Shoe",
        "Long",
        "Norrland",
        "shoes",
        new Dictionary<string, string> { ["weight"] = "280 g" },
        [new ProductVariant("p-1-42", "42", "black")],
        Then
    );

    private static readonly ClientContract[] Table =
    [
        Of(
            (IOrders orders) => orders.List(20, "next page"),
            "GET /orders?limit=20&cursor=next%20page",
            $$"""{"items":[{{OrderAnswer}}],"nextCursor":"n"}""",
            new OrderPage(new[] { Read }, "n"),
            required: "items"
        ),
        Of(
            (IOrders orders) => orders.Get("o-1"),
            "GET /orders/o-1",
            OrderAnswer,
            Read,
            required: "id,status,placedAt,totalAmount,currency,items"
        ),
        Of(
            (IOrders orders) => orders.Place(new NewOrder("po-7", "EUR", new[] { new NewOrderLine("p-1", 2) }), "key-1"),
            "POST /orders",
            OrderAnswer,
            Read,
            required: "id,status,placedAt,totalAmount,currency,items",
            body: """{"reference":"po-7","currency":"EUR","items":[{"productId":"p-1","quantity":2}]}""",
            headers: ("Idempotency-Key", "key-1")
        ),
        Of(
            (IOrders orders) => orders.Cancel("o-1", "key-1"),
            "POST /orders/o-1/cancel",
            OrderAnswer,
            Read,
            required: "id,status,placedAt,totalAmount,currency,items",
            headers: ("Idempotency-Key", "key-1")
        ),
        Of(
            (IProducts products) => products.List(20, null),
            "GET /products?limit=20",
            $$"""{"items":[{{ProductAnswer}}],"nextCursor":"n"}""",
            new ProductPage(new[] { Shoe }, "n"),
            required: "items"
        ),
        Of((IProducts products) => products.Get("p-1"), "GET /products/p-1", ProductAnswer, Shoe, required: "id,name"),
        Of(
            (IInventory inventory) => inventory.Get("p-1"),
            "GET /inventory/p-1",
            """{"productId":"p-1","inStock":true,"quantity":12,"warehouses":[{"id":"w-1","quantity":12}],"updatedAt":"2026-01-02T03:04:05Z"}""",
            new Stock("p-1", true, 12, new[] { new WarehouseStock("w-1", 12) }, Then),
            required: "productId,inStock,quantity"
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
    public void Every_call_is_in_the_table() => Assert.Empty(ClientContracts.Missing(typeof(IOrders).Assembly, Table));
}
