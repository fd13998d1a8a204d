using Bff.TestKit.Failures;

namespace PartnerBff.Tests;

/// <summary>Runs alone because it measures the memory of the process.</summary>
[Collection(nameof(Alone))]
public sealed class BodyStormTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Fact]
    public async Task A_storm_of_bad_bodies_does_not_affect_other_callers()
    {
        var host = Start(
            BodyStorm
                .Settings("enterprise", "orders")
                .With(
                    new Dictionary<string, string?>
                    {
                        ["ReverseProxy:Routes:through:ClusterId"] = "orders",
                        ["Plans:enterprise:RequestsPerMinute"] = "10000000",
                        ["Plans:enterprise:Burst"] = "1000000",
                        ["ReverseProxy:Routes:through:Match:Path"] = "/v1/through",
                        ["ReverseProxy:Routes:through:Metadata:Scope"] = "orders.write",
                        ["ReverseProxy:Routes:through:Transforms:0:PathSet"] = "/orders",
                    }
                )
        );
        const string Order = """{"reference":"r-1","currency":"EUR","items":[{"product_id":"p-1","quantity":1}]}""";
        const string Passed = """{"items":[{"productId":"p-1","quantity":1}]}""";

        await new BodyStorm(host.Address, host.Services, host.Leaks, _ => AcmeKey).Rage(
            [
                ("POST", "/v1/orders"),
                ("POST", "/v2/orders"),
                ("POST", "/v1/orders/batch"),
                ("POST", "/v1/api-keys"),
                ("POST", "/v1/webhook-endpoints"),
                ("POST", "/v1/through"),
            ],
            Order,
            [
                () => Get(host, "/v1/orders", GlobexKey),
                () => Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, JsonNode.Parse(Order)!.AsObject(), Guid.NewGuid().ToString()),
                () => Send(host, HttpMethod.Post, "/v1/through", AcmeKey, JsonNode.Parse(Passed)!.AsObject()),
            ]
        );
    }
}
