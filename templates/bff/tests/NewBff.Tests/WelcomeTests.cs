using System.Net;
using System.Text.Json.Nodes;
using Bff.Dev.Upstreams.Faults;
using Bff.TestKit;
using NewBff.Features;

namespace NewBff.Tests;

public sealed class WelcomeTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string?> Patient = new()
    {
        ["Composition:welcome:user:Timeout"] = "00:00:30",
        ["Composition:welcome:recommendations:Timeout"] = "00:00:30",
    };

    private Surroundings _surroundings = null!;

    public async Task InitializeAsync() => _surroundings = await Surroundings.StartAsync();

    public async Task DisposeAsync() => await _surroundings.DisposeAsync();

    [Fact]
    public async Task Welcome_is_made_of_profile_and_picks()
    {
        await using var host = GatewayHost<Welcome>.Start(_surroundings, Patient);

        var answer = JsonNode.Parse(await (await host.Get("/welcome")).Content.ReadAsStringAsync())!;

        Assert.False(string.IsNullOrEmpty((string?)answer["name"]));
        Assert.NotEmpty(answer["picks"]!.AsArray());
        Assert.Equal(2, (int)answer["_meta"]!["servicesSucceeded"]!);
    }

    [Fact]
    public async Task Welcome_is_served_without_picks_when_recommendations_fail()
    {
        await using var host = GatewayHost<Welcome>.Start(_surroundings, Patient);
        _surroundings.Services["recommendations"].Faults.Set(new Fault { Mode = FaultMode.Status });

        var answer = JsonNode.Parse(await (await host.Get("/welcome")).Content.ReadAsStringAsync())!;

        Assert.Null(answer["picks"]);
        Assert.Equal("failed", (string?)answer["_meta"]!["degraded"]!["recommendations"]);
    }

    [Fact]
    public async Task Nobody_is_welcome_without_a_token()
    {
        await using var host = GatewayHost<Welcome>.Start(_surroundings, Patient);

        Assert.Equal(HttpStatusCode.Unauthorized, (await host.Get("/welcome", user: null)).StatusCode);
    }
}
