using Bff.TestKit.Failures;

namespace WebBff.Tests;

/// <summary>Runs alone because it measures the memory of the process.</summary>
[Collection(nameof(Alone))]
public sealed class BodyStormTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private const string Order = """{"items":[{"productId":"p-1","quantity":1}]}""";

    [Fact]
    public async Task A_storm_of_bad_bodies_does_not_affect_other_callers()
    {
        var host = Start(
            BodyStorm
                .Settings("free", "orders", "users", "notifications")
                .With(
                    new Dictionary<string, string?>
                    {
                        ["ReverseProxy:Routes:through:ClusterId"] = "orders",
                        ["ReverseProxy:Routes:through:Match:Path"] = "/api/through",
                        ["ReverseProxy:Routes:through:Metadata:Scope"] = "api",
                        ["ReverseProxy:Routes:through:Transforms:0:PathSet"] = "/orders",
                    }
                )
        );
        var tokens = Enumerable.Range(0, 20).Select(i => Surroundings.Token($"u-20{i:00}")).ToArray();

        await new BodyStorm(host.Address, host.Services, host.Leaks, caller => tokens[caller]).Rage(
            [
                ("POST", "/api/orders"),
                ("POST", "/api/orders/o-1/cancel"),
                ("PATCH", "/api/profile"),
                ("POST", "/api/notifications/n-1/read"),
                ("POST", "/api/through"),
            ],
            Order,
            [
                () => host.Get("/api/orders"),
                () => Write(HttpMethod.Post, "/api/orders", Order),
                () => Write(HttpMethod.Post, "/api/through", Order),
                () => Write(HttpMethod.Patch, "/api/profile", """{"locale":"de-DE"}"""),
            ]
        );

        Task<HttpResponseMessage> Write(HttpMethod method, string path, string body)
        {
            var request = host.Request(method, path);
            request.Content = new StringContent(body, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
            return host.Client.SendAsync(request);
        }
    }
}
