using System.Net.Http.Headers;
using Bff.Dev.Upstreams.Faults;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Starting;

/// <summary>A started host has loaded the packages that serve its requests and none that only other hosts use.</summary>
public sealed class LoadedPackagesTests
{
    private const string SignIn = "Microsoft.AspNetCore.Authentication.OpenIdConnect",
        Entra = "Microsoft.Identity.Abstractions",
        Resilience = "Microsoft.Extensions.Http.Resilience",
        Polly = "Polly.Core";

    [Theory]
    [InlineData(
        "MobileBff",
        new[] { "Refit", "Yarp.ReverseProxy" },
        new[] { "NSwag.AspNetCore", "NJsonSchema", "Newtonsoft.Json", "Grpc.Net.Client", Entra, SignIn, Resilience, Polly }
    )]
    [InlineData(
        "WebBff",
        new[] { "Refit", "Yarp.ReverseProxy", SignIn },
        new[] { "NSwag.AspNetCore", "NJsonSchema", "Newtonsoft.Json", "NetVips", Entra, Resilience, Polly }
    )]
    [InlineData(
        "PartnerBff",
        new[] { "Refit", "Yarp.ReverseProxy", SignIn },
        new[] { "NSwag.AspNetCore", "NJsonSchema", "Newtonsoft.Json", "Grpc.Net.Client", "NetVips", Entra, Resilience, Polly }
    )]
    public async Task A_host_has_not_loaded_packages_that_it_does_not_use(string gateway, string[] used, string[] unused)
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // Only Linux can list what a process has loaded.
        }

        await using var surroundings = await Surroundings.StartAsync();
        // Each request at the start has one attempt. A busy machine may fail it, and the engine of further attempts would be loaded.
        (string, string)[] once = [.. surroundings.Services.All.Select(s => ($"Upstreams:{s.Name}:Retries", "0"))];
        await using var host = await GatewayProcess.Start(gateway, surroundings, GatewayProcess.NewFolder(gateway), once);

        var loaded = host.LoadedAssemblies;

        Assert.Subset(loaded, used.ToHashSet());
        Assert.Empty(loaded.Intersect(unused));
    }

    [Fact]
    public async Task The_engine_of_further_attempts_is_loaded_by_the_first_attempt_that_fails()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        await using var surroundings = await Surroundings.StartAsync();
        await using var host = await GatewayProcess.Start("MobileBff", surroundings, GatewayProcess.NewFolder("MobileBff"));
        await Ask(host, surroundings, "u-1001");
        Assert.Empty(host.LoadedAssemblies.Intersect([Resilience, Polly]));

        surroundings.Services.Users.Faults.Set(new Fault { Mode = FaultMode.Status, Count = 1 });
        await Ask(host, surroundings, "u-1002");
        Assert.Subset(host.LoadedAssemblies, new HashSet<string> { Resilience, Polly });
    }

    private static async Task Ask(GatewayProcess host, Surroundings surroundings, string user)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/me");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", surroundings.Token(user));
        using var answer = await host.Client.SendAsync(request);
        answer.EnsureSuccessStatusCode();
    }
}
