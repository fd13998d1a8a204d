using System.Text.RegularExpressions;

namespace PartnerBff.Tests.Contract;

/// <summary>
/// The answers of v1 as they were promised. A failure here means that partners' programs break: members may be added, but none may be
/// removed or change its type or meaning. Ids and times are replaced by their shape.
/// </summary>
public sealed partial class GoldenTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Fact]
    public async Task The_v1_answers_are_as_they_were_promised()
    {
        var host = Start();
        var placed = await Json(
            await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(quantity: 97, reference: "po-77"), "golden"),
            201
        );
        const string AnOrder =
            """{"id":"<id>","reference":"po-77","status":"pending","total":<number>,"currency":"EUR","placed_at":"<time>","items":[{"product_id":"p-1","name":"<text>","quantity":97,"unit_price":<number>}]}""";
        Golden(AnOrder, placed);
        Golden(AnOrder, await Json(await Get(host, "/v1/orders/" + placed["id"], AcmeKey)));
        Golden(
            $$"""{"data":[{{AnOrder}}],"has_more":true,"next_cursor":"<cursor>"}""",
            await Json(await Get(host, "/v1/orders?limit=1", AcmeKey))
        );
        Golden(
            """{"product_id":"p-1","in_stock":<flag>,"quantity":<number>,"warehouses":[{"id":"wh-lyon","quantity":<number>},{"id":"wh-oslo","quantity":<number>},{"id":"wh-porto","quantity":<number>}],"updated_at":"<time>"}""",
            await Json(await Get(host, "/v1/inventory/p-1", AcmeKey))
        );
        Assert.Equal(
            ["id", "name", "description", "brand", "category", "attributes", "variants", "updated_at"],
            (await Json(await Get(host, "/v1/products/p-1", AcmeKey))).Select(m => m.Key)
        );
        Golden(
            AnOrder.Replace("pending", "cancelled", StringComparison.Ordinal),
            await Json(await Send(host, HttpMethod.Post, $"/v1/orders/{placed["id"]}/cancel", AcmeKey))
        );
        var problem = await Problem(await Get(host, "/v1/orders/o-nope", AcmeKey), 404, "not_found");
        Assert.Equal(["type", "title", "status", "detail", "instance", "code", "requestId", "traceId"], problem.Select(m => m.Key));
    }

    [Fact]
    public async Task The_contract_names_members_as_the_answers_do_and_every_operation_its_errors()
    {
        var host = Start();
        foreach (var version in (string[])["v1", "v2"])
        {
            var contract = await Json(await Get(host, $"/openapi/{version}.json", null));
            var schemas = contract["components"]!["schemas"]!.AsObject();
            Assert.Contains("placed_at", schemas["Order" + version.ToUpperInvariant()]!["properties"]!.AsObject().Select(p => p.Key));
            Assert.Contains("requestId", schemas["Problem"]!["properties"]!.AsObject().Select(p => p.Key));
            var paths = contract["paths"]!.AsObject();
            Assert.All(paths, p => Assert.StartsWith($"/{version}/", p.Key, StringComparison.Ordinal));
            foreach (var operation in paths.SelectMany(p => p.Value!.AsObject()).Select(o => o.Value!))
            {
                Assert.NotNull(operation["summary"]);
                Assert.Equal(
                    [],
                    ((string[])["401", "403", "429", "500", "503"]).Except(operation["responses"]!.AsObject().Select(r => r.Key))
                );
                Assert.All(
                    operation["responses"]!.AsObject().Where(r => r.Key[0] is '4' or '5'),
                    r => Assert.StartsWith("`", (string)r.Value!["description"]!, StringComparison.Ordinal)
                );
            }
        }

        await Problem(await Get(host, "/openapi/v3.json", null), 404, "not_found");
    }

    private static void Golden(string expected, JsonNode answer)
    {
        var text = answer.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        text = Time().Replace(text, "\"<time>\"");
        text = Cursor().Replace(text, "\"next_cursor\":\"<cursor>\"");
        text = Id().Replace(text, "\"id\":\"<id>\"");
        text = Name().Replace(text, "\"name\":\"<text>\"");
        text = Number().Replace(text, "\"$1\":<number>");
        text = Flag().Replace(text, "\"in_stock\":<flag>");
        text = Quantity().Replace(text, m => m.Groups[1].Value == "97" ? m.Value : "\"quantity\":<number>");
        Assert.Equal(expected, text);
    }

    [GeneratedRegex("\"\\d{4}-\\d\\d-\\d\\dT[^\"]+\"")]
    private static partial Regex Time();

    [GeneratedRegex("\"next_cursor\":\"[A-Za-z0-9_-]+\"")]
    private static partial Regex Cursor();

    [GeneratedRegex("\"id\":\"o-\\d+\"")]
    private static partial Regex Id();

    [GeneratedRegex("\"name\":\"[^\"]+\"")]
    private static partial Regex Name();

    [GeneratedRegex("\"(total|unit_price)\":[0-9.]+")]
    private static partial Regex Number();

    [GeneratedRegex("\"in_stock\":(true|false)")]
    private static partial Regex Flag();

    [GeneratedRegex("\"quantity\":(\\d+)")]
    private static partial Regex Quantity();
}
