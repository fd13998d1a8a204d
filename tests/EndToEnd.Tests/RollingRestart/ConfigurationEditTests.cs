using System.Net;
using System.Text.Json.Nodes;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.RollingRestart;

/// <summary>Edits the file that a running gateway reads.</summary>
public sealed class ConfigurationEditTests : IAsyncLifetime
{
    private readonly string _folder = GatewayProcess.NewFolder("MobileBff");
    private Surroundings _surroundings = null!;

    private string Settings => Path.Combine(_folder, "appsettings.json");

    [Fact]
    public async Task A_bad_edit_is_refused_as_a_whole_and_reported_and_the_next_good_one_takes_effect()
    {
        await using var gateway = await GatewayProcess.Start("MobileBff", _surroundings, _folder);
        Assert.NotNull(await Recommendations(gateway));

        // One member is right and would take effect, two are wrong.
        await Edit(s =>
            s["Composition"] = new JsonObject
            {
                ["home-feed"] = new JsonObject
                {
                    ["recommendations"] = new JsonObject { ["Enabled"] = "false", ["Stale"] = "never" },
                },
                ["order"] = new JsonObject { ["order"] = new JsonObject { ["Timeout"] = "-1" } },
            }
        );
        await gateway.Prints("Configuration mistake in Composition:home-feed:recommendations:Stale");
        await gateway.Prints("Configuration mistake in Composition:order:order:Timeout");
        Assert.NotNull(await Recommendations(gateway));

        gateway.ForgetOutput();
        await File.WriteAllTextAsync(Settings, "{ \"Composition\": { \"home-feed\": ");
        await gateway.Prints("Configuration mistake in appsettings.json");
        Assert.NotNull(await Recommendations(gateway));

        gateway.ForgetOutput();
        await Edit(s =>
            s["Composition"] = new JsonObject
            {
                ["home-feed"] = new JsonObject { ["recommendations"] = new JsonObject { ["Enabled"] = "false" } },
            }
        );
        await gateway.Prints("A new configuration is in use");
        await Eventually.True(async () => await Recommendations(gateway) is null, GatewayProcess.WaitLimit);
        Assert.False(gateway.HasExited);
    }

    public async Task InitializeAsync() => _surroundings = await Surroundings.StartAsync();

    public async Task DisposeAsync()
    {
        await _surroundings.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task Edit(Action<JsonObject> change)
    {
        var settings = JsonNode.Parse(_original ??= await File.ReadAllTextAsync(Settings))!.AsObject();
        change(settings);
        await File.WriteAllTextAsync(Settings, settings.ToJsonString());
    }

    private string? _original;

    private async Task<JsonNode?> Recommendations(GatewayProcess gateway)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/home-feed")
        {
            Headers = { Authorization = new("Bearer", _surroundings.Token()) },
        };
        using var answer = await gateway.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["recommendations"];
    }
}
