using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace PartnerBff.Tests.Orders;

public sealed class StaleCursorTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Theory]
    [InlineData("/v1/orders", "orders", "/orders", 400)]
    [InlineData("/v2/orders", "orders", "/orders", 410)]
    [InlineData("/v1/products", "products", "/products", 422)]
    public async Task A_cursor_that_the_service_no_longer_accepts_is_reported_as_invalid(string path, string service, string at, int status)
    {
        await using var list = await TestHost.Start(
            _ => { },
            app =>
                app.MapGet(
                    at,
                    (string? cursor) =>
                        cursor is null
                            ? Results.Text("""{"items":[],"nextCursor":"old"}""", "application/json")
                            : Results.Problem(statusCode: status)
                )
        );
        var host = Start(new() { [$"Upstreams:{service}:Address"] = list.Address.ToString() });
        var next = (string)(await Json(await Get(host, path, AcmeKey)))["next_cursor"]!;

        await Problem(await Get(host, $"{path}?cursor={next}", AcmeKey), 400, "invalid_cursor");
    }

    [Theory]
    [InlineData("/v1/orders", "orders")]
    [InlineData("/v2/orders", "orders")]
    [InlineData("/v1/products", "products")]
    public async Task A_cursor_that_no_client_could_send_back_is_a_failure_of_the_service(string path, string service)
    {
        var cursor = new string('x', 2048);
        await using var list = await UnusableCursors.Serve("nextCursor", () => cursor);
        var host = Start(new() { [$"Upstreams:{service}:Address"] = list.Address.ToString() });
        var next = (string)(await Json(await Get(host, path, AcmeKey)))["next_cursor"]!;
        await Json(await Get(host, $"{path}?cursor={next}", AcmeKey));

        foreach (var unusable in UnusableCursors.All)
        {
            cursor = unusable;
            await Problem(await Get(host, path, AcmeKey), 502, "upstream_failed");
        }
    }
}
