using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Architecture.Tests;

/// <summary>A missing security setting stops a host in Production, and the error names it; with all of them the host starts.</summary>
public sealed class SecuritySettingsTests : IAsyncLifetime
{
    private Surroundings _surroundings = null!;

    /// <summary>Host, omitted setting, and the key that the host must name.</summary>
    public static TheoryData<string, string, string> Missing
    {
        get
        {
            var missing = new TheoryData<string, string, string>();
            foreach (var host in Source.Hosts)
            {
                missing.Add(host, "Authentication:Schemes:Bearer:Authority", "Authentication:Schemes:Bearer:Authority");
                missing.Add(host, "Authentication:Schemes:Bearer:ValidAudiences:0", "Authentication:Schemes:Bearer:ValidAudiences");
                missing.Add(
                    host,
                    "Authentication:Schemes:Bearer:RequireHttpsMetadata",
                    "Authentication:Schemes:Bearer:Authority: is not https"
                );
                missing.Add(host, "State:AllowEmbedded", "ConnectionStrings:redis");
            }

            foreach (var host in (string[])["WebBff", "PartnerBff"])
            {
                missing.Add(host, "Session:Authority", "Session:Authority");
                missing.Add(host, "Session:ClientId", "Session:ClientId");
                missing.Add(host, "Session:ClientSecret", "Session:ClientSecret");
                missing.Add(host, "Session:RequireHttpsMetadata", "Session:Authority: is not https");
            }

            missing.Add("PartnerBff", "ApiKeys:Pepper", "ApiKeys:Pepper");
            return missing;
        }
    }

    public static TheoryData<string> Hosts => new(Source.Hosts);

    [Theory]
    [MemberData(nameof(Missing))]
    public async Task A_host_without_a_security_setting_does_not_start_and_names_it(string host, string setting, string named)
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => StartAndStop(host, setting));

        Assert.Contains(named, refused.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public Task A_host_with_all_security_settings_starts(string host) => StartAndStop(host, without: null);

    /// <summary>In production the documentation page is for partners only; developers see it everywhere.</summary>
    [Theory]
    [InlineData("MobileBff", false)]
    [InlineData("WebBff", false)]
    [InlineData("PartnerBff", true)]
    public async Task In_production_only_the_host_for_other_companies_shows_its_documentation(string host, bool shows)
    {
        await using var started = Start(host, without: null);

        var routes = started
            .Services.GetServices<EndpointDataSource>()
            .SelectMany(s => s.Endpoints)
            .OfType<RouteEndpoint>()
            .Select(e => e.RoutePattern.RawText);

        Assert.Equal(shows, routes.Contains("/docs"));
    }

    public async Task InitializeAsync() => _surroundings = await Surroundings.StartAsync();

    public async Task DisposeAsync() => await _surroundings.DisposeAsync();

    private async Task StartAndStop(string host, string? without)
    {
        await using var started = Start(host, without);
    }

    private RealHosts.Running Start(string host, string? without)
    {
        var settings = new Dictionary<string, string?>
        {
            ["State:AllowEmbedded"] = "true",
            ["ApiKeys:Pepper"] = "a pepper of more than thirty-two characters",
            ["Session:Authority"] = _surroundings.Identity.Authority,
            ["Session:ClientId"] = "web-bff",
            ["Session:ClientSecret"] = "web-bff-development-secret",
            ["Session:RequireHttpsMetadata"] = "false",
        }.With(_surroundings.GatewaySettings);
        if (without is not null)
        {
            settings[without] = ""; // Counts as absent, also where the shipped files or the environment give a value.
        }

        return RealHosts.Start(host, _surroundings, settings, "Production");
    }
}
