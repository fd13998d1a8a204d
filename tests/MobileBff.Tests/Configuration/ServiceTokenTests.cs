using System.Net.Http.Headers;
using Microsoft.AspNetCore.WebUtilities;

namespace MobileBff.Tests.Configuration;

/// <summary>Tests <c>Upstreams:&lt;name&gt;:Token</c> on a host as it ships.</summary>
public sealed class ServiceTokenTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private static readonly string[] OfUsers = ["users", "orders", "notifications", "shipping", "search", "recommendations"];

    private Dictionary<string, string?> Registration =>
        new()
        {
            ["Clients:default:Authority"] = Surroundings.Identity.Authority,
            ["Clients:default:RequireHttpsMetadata"] = "false",
            ["Clients:default:ClientId"] = "gateway",
            ["Clients:default:ClientSecret"] = "gateway-development-secret",
            ["Clients:default:Timeout"] = "00:00:30",
        };

    [Fact]
    public async Task A_host_works_with_services_that_each_accept_only_tokens_for_themselves()
    {
        await using var services = await SampleServices.StartAsync(new() { TokenAuthority = Surroundings.Identity.Authority });
        var settings = Registration;
        foreach (var (key, value) in services.GatewaySettings)
        {
            var name = key.Split(':')[1];
            settings[key] = value;
            settings[$"Upstreams:{name}:Token:Mode"] = OfUsers.Contains(name) ? "Exchange" : "Client";
            settings[$"Upstreams:{name}:Token:Audience"] = name;
        }

        var host = Start(settings);
        using var feed = await host.Get("/home-feed");
        using var product = await host.Get("/products/p-1");
        using var write = host.Request(HttpMethod.Post, "/orders");
        write.Content = new StringContent(
            """{"currency":"EUR","items":[{"productId":"p-1","quantity":1}]}""",
            System.Text.Encoding.UTF8,
            "application/json"
        );
        using var placed = await host.Client.SendAsync(write);

        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.Created),
            (feed.StatusCode, product.StatusCode, placed.StatusCode)
        );
        var meta = JsonNode.Parse(await feed.Content.ReadAsStringAsync())!["_meta"]!;
        Assert.Equal((int)meta["servicesCalled"]!, (int)meta["servicesSucceeded"]!);
        foreach (var service in services.All)
        {
            Assert.All(service.Calls.All, c => Assert.Equal(service.Name, (string?)Claims(c.Header("Authorization")!)["aud"]));
        }

        // The services refuse any other credential: none, the caller's own token, another service's token.
        using var plain = new HttpClient();
        foreach (
            var token in (string?[])[null, Surroundings.Token(), services.Orders.Calls.All[0].Header("Authorization")!["Bearer ".Length..]]
        )
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(services.Users.Address, "users/u-1001"));
            request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
            Assert.Equal(HttpStatusCode.Unauthorized, (await plain.SendAsync(request)).StatusCode);
        }
    }

    [Fact]
    public async Task An_unavailable_token_endpoint_fails_only_the_service_that_needs_it()
    {
        var host = Start(
            new(Registration) { ["Clients:default:Authority"] = "http://127.0.0.1:1", ["Upstreams:orders:Token:Mode"] = "Client" }
        );

        using var feed = await host.Get("/home-feed");
        using var orders = await host.Get("/orders");

        Assert.Equal(HttpStatusCode.OK, feed.StatusCode);
        Assert.Equal(
            """{"orders":"unavailable"}""",
            JsonNode.Parse(await feed.Content.ReadAsStringAsync())!["_meta"]!["degraded"]!.ToJsonString()
        );
        Assert.Equal(HttpStatusCode.ServiceUnavailable, orders.StatusCode);
        Assert.Equal("upstream_unavailable", (string?)JsonNode.Parse(await orders.Content.ReadAsStringAsync())!["code"]);
        Assert.Equal(0, Upstream.Orders.Calls.Count);
    }

    [Fact]
    public async Task A_service_that_refuses_the_gateways_token_gives_502_and_signs_no_client_out()
    {
        var host = Start(new(Registration) { ["Upstreams:orders:Token:Mode"] = "Client", ["Upstreams:orders:Token:Audience"] = "orders" });
        Upstream.Orders.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 401 });
        using var write = host.Request(HttpMethod.Post, "/orders");
        write.Content = new StringContent(
            """{"currency":"EUR","items":[{"productId":"p-1","quantity":1}]}""",
            System.Text.Encoding.UTF8,
            "application/json"
        );

        using var placed = await host.Client.SendAsync(write);

        Assert.Equal(HttpStatusCode.BadGateway, placed.StatusCode);
        Assert.Equal(1, Upstream.Orders.Calls.Count);
    }

    [Theory]
    [InlineData("products", "Caller")]
    [InlineData("pricing", "Exchange")]
    [InlineData("media", "OnBehalfOf")]
    public void The_host_does_not_start_if_a_service_with_shared_answers_would_get_a_token_of_a_caller(string service, string mode)
    {
        var refusal = Assert.ThrowsAny<Exception>(() =>
            Start(
                new(Registration)
                {
                    [$"Upstreams:{service}:Token:Mode"] = mode,
                    [$"Upstreams:{service}:Token:Scope"] = mode == "Caller" ? null : "x",
                }
            )
        );

        Assert.Contains($"Upstreams:{service}:Token:Mode: must be None or Client", refusal.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Mode", "Exchange", "Audience")]
    [InlineData("Mode", "OnBehalfOf", "Scope")]
    [InlineData("Scope", "orders.read", "Mode")]
    public void The_host_does_not_start_without_the_counterpart_of_a_setting_and_names_it(string key, string value, string named)
    {
        var refusal = Assert.ThrowsAny<Exception>(() => Start(new(Registration) { [$"Upstreams:orders:Token:{key}"] = value }));

        Assert.Contains($"Upstreams:orders:Token:{named}:", refusal.ToString(), StringComparison.Ordinal);
    }

    private static JsonNode Claims(string authorization) =>
        JsonNode.Parse(WebEncoders.Base64UrlDecode(authorization["Bearer ".Length..].Split('.')[1]))!;
}
