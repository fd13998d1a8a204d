namespace PartnerBff.Tests.Orders;

public sealed class OrderTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Fact]
    public async Task Orders_of_the_tenant_come_in_pages_that_link_to_the_next()
    {
        var host = Start();
        var first = await Get(host, "/v1/orders?limit=2", AcmeKey);
        var page = await Json(first);
        Assert.Equal(2, page["data"]!.AsArray().Count);
        Assert.True((bool)page["has_more"]!);
        var link = first.Headers.GetValues("Link").Single();
        Assert.EndsWith("; rel=\"next\"", link, StringComparison.Ordinal);
        Assert.False(first.Headers.Contains("Server-Timing"));

        var next = link[1..link.IndexOf('>', StringComparison.Ordinal)];
        Assert.Contains((string)page["next_cursor"]!, next, StringComparison.Ordinal);
        var second = await Json(await Get(host, new Uri(next).PathAndQuery, AcmeKey));
        Assert.Equal(2, second["data"]!.AsArray().Count);
        Assert.NotEqual((string)page["data"]![0]!["id"]!, (string)second["data"]![0]!["id"]!);
        Assert.All(Upstream.Orders.Calls.All, call => Assert.Equal("acme", call.Header("X-Tenant-Id")));
    }

    [Fact]
    public async Task An_answer_is_one_document_whatever_form_the_client_asks_for()
    {
        var host = Start();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/orders/" + await AnyOrder(host));
        request.Headers.Authorization = new("Bearer", AcmeKey);
        request.Headers.TryAddWithoutValidation("Accept", "application/x-ndjson, application/json;q=0.5");
        request.Headers.TryAddWithoutValidation("Prefer", "progressive");

        using var answer = await host.Client.SendAsync(request);

        await Json(answer);
        Assert.False(answer.Headers.Contains("Preference-Applied"));
        Assert.DoesNotContain("Prefer", answer.Headers.Vary);
        Assert.DoesNotContain(
            "x-ndjson",
            await File.ReadAllTextAsync(Checkout.At("contracts", "partner-v1.json")),
            StringComparison.Ordinal
        );

        static async Task<string> AnyOrder(PartnerHost host) =>
            (string)(await Json(await Get(host, "/v1/orders?limit=1", AcmeKey)))["data"]![0]!["id"]!;
    }

    [Fact]
    public async Task A_cursor_of_another_tenant_opens_nothing()
    {
        var host = Start();
        var page = await Json(await Get(host, "/v1/orders?limit=1", AcmeKey));
        await Problem(await Get(host, "/v1/orders?cursor=" + page["next_cursor"], GlobexKey), 400, "invalid_cursor");
        await Problem(await Get(host, "/v1/orders?cursor=nonsense", AcmeKey), 400, "invalid_cursor");
        await Problem(await Get(host, "/v1/orders?limit=0", AcmeKey), 400, "validation_failed");
    }

    [Fact]
    public async Task Another_tenants_order_does_not_exist()
    {
        var host = Start();
        var page = await Json(await Get(host, "/v1/orders?limit=1", AcmeKey));
        var id = (string)page["data"]![0]!["id"]!;
        Assert.Equal(id, (string?)(await Json(await Get(host, "/v1/orders/" + id, AcmeKey)))["id"]);
        await Problem(await Get(host, "/v1/orders/" + id, GlobexKey), 404, "not_found");
    }

    [Fact]
    public async Task An_order_is_placed_and_comes_back_with_its_reference()
    {
        var host = Start();
        var response = await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(quantity: 2, reference: "po-77"), "k-1");
        var order = await Json(response, 201);
        Assert.Equal("po-77", (string?)order["reference"]);
        Assert.Equal("pending", (string?)order["status"]);
        Assert.Equal("EUR", (string?)order["currency"]);
        Assert.Equal(2, (int)order["items"]![0]!["quantity"]!);
        Assert.Equal((decimal)order["items"]![0]!["unit_price"]! * 2, (decimal)order["total"]!);
        Assert.EndsWith("/v1/orders/" + order["id"], response.Headers.Location!.ToString(), StringComparison.Ordinal);
        Assert.Equal("k-1", Upstream.Orders.Calls.All.Single(c => c.Method == "POST").Header("Idempotency-Key"));
        Assert.Equal(order.ToJsonString(), (await Json(await Get(host, "/v1/orders/" + order["id"], AcmeKey))).ToJsonString());
    }

    [Fact]
    public async Task Client_credentials_are_as_good_as_a_key()
    {
        var host = Start();
        var token = Surroundings.Identity.MintToken(
            new TokenRequest
            {
                Sub = "partner-acme",
                ClientId = "partner-acme",
                Tid = "acme",
                Scope = "orders.read",
            }
        );
        await Json(await Get(host, "/v1/orders", token));
        await Problem(await Send(host, HttpMethod.Post, "/v1/orders", token, Order(), "k-1"), 403, "insufficient_scope");
    }

    [Fact]
    public async Task A_read_only_plan_refuses_writes_and_an_unconfigured_tenant_is_refused_everything()
    {
        var stranger = ApiKeyFormat.New(isTest: false);
        var host = Start(new() { ["ApiKeys:Bootstrap:umbrella"] = stranger });
        await Problem(await Send(host, HttpMethod.Post, "/v1/orders", InitechKey, Order(), "k-1"), 403, "endpoint_not_in_plan");
        await Json(await Get(host, "/v1/orders", InitechKey));
        await Problem(await Get(host, "/v1/orders", stranger), 403, "forbidden");
    }

    [Fact]
    public async Task Errors_of_an_order_use_the_contracts_own_spelling()
    {
        var host = Start();
        var problem = await Problem(
            await Send(
                host,
                HttpMethod.Post,
                "/v1/orders",
                AcmeKey,
                new JsonObject
                {
                    ["currency"] = "euro",
                    ["items"] = new JsonArray(new JsonObject { ["product_id"] = "", ["quantity"] = 0 }),
                },
                "k"
            ),
            400,
            "validation_failed"
        );
        Assert.Equal(
            ["currency", "items[0].product_id", "items[0].quantity"],
            problem["errors"]!.AsObject().Select(e => e.Key).Order(StringComparer.Ordinal)
        );
        await Problem(
            await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, new JsonObject { ["items"] = new JsonArray() }, "k"),
            400,
            "validation_failed"
        );
        Assert.Equal(0, Placed(Upstream));
    }

    [Fact]
    public async Task The_services_own_refusal_passes_through()
    {
        var host = Start();
        var unknown = await Problem(
            await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order("p-does-not-exist"), "k"),
            422,
            "unprocessable"
        );
        Assert.Contains("p-does-not-exist", (string)unknown["detail"]!, StringComparison.Ordinal);
        Assert.NotNull(unknown["requestId"]);
        var order = await Json(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "k2"), 201);
        Upstream.Orders.SetStatus((string)order["id"]!, "shipped");
        await Problem(await Send(host, HttpMethod.Post, $"/v1/orders/{order["id"]}/cancel", AcmeKey), 409, "conflict");
        Upstream.Orders.SetStatus((string)order["id"]!, "paid");
        Assert.Equal(
            "cancelled",
            (string?)(await Json(await Send(host, HttpMethod.Post, $"/v1/orders/{order["id"]}/cancel", AcmeKey)))["status"]
        );
        await Problem(await Send(host, HttpMethod.Post, $"/v1/orders/{order["id"]}/cancel", GlobexKey), 404, "not_found");
    }

    [Fact]
    public async Task In_v2_money_is_an_object()
    {
        var host = Start();
        var order = await Json(await Send(host, HttpMethod.Post, "/v2/orders", AcmeKey, Order(), "k"), 201);
        var inV1 = await Json(await Get(host, "/v1/orders/" + order["id"], AcmeKey));
        Assert.Equal("EUR", (string?)order["total"]!["currency"]);
        Assert.Equal(
            (decimal)inV1["total"]!,
            decimal.Parse((string)order["total"]!["amount"]!, System.Globalization.CultureInfo.InvariantCulture)
        );
        Assert.Equal("EUR", (string?)order["items"]![0]!["unit_price"]!["currency"]);
    }

    [Fact]
    public async Task Products_and_stock_are_served()
    {
        var host = Start();
        var page = await Json(await Get(host, "/v1/products?limit=3", AcmeKey));
        Assert.Equal(3, page["data"]!.AsArray().Count);
        var product = await Json(await Get(host, "/v1/products/p-1", AcmeKey));
        Assert.Equal("p-1", (string?)product["id"]);
        var stock = await Json(await Get(host, "/v1/inventory/p-1", AcmeKey));
        Assert.Equal("p-1", (string?)stock["product_id"]);
        await Problem(await Get(host, "/v1/inventory/p-nope", AcmeKey), 404, "not_found");
    }
}
