using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Starting;

/// <summary>A started host has loaded the packages that serve its requests and none that only other hosts use.</summary>
public sealed class LoadedPackagesTests
{
    private const string SignIn = "Microsoft.AspNetCore.Authentication.OpenIdConnect",
        Entra = "Microsoft.Identity.Abstractions";

    [Theory]
    [InlineData(
        "MobileBff",
        new[] { "Refit", "Yarp.ReverseProxy" },
        new[] { "NSwag.AspNetCore", "NJsonSchema", "Newtonsoft.Json", "Grpc.Net.Client", Entra, SignIn }
    )]
    [InlineData(
        "WebBff",
        new[] { "Refit", "Yarp.ReverseProxy", SignIn },
        new[] { "NSwag.AspNetCore", "NJsonSchema", "Newtonsoft.Json", "NetVips", Entra }
    )]
    [InlineData(
        "PartnerBff",
        new[] { "Refit", "Yarp.ReverseProxy", SignIn },
        new[] { "NSwag.AspNetCore", "NJsonSchema", "Newtonsoft.Json", "Grpc.Net.Client", "NetVips", Entra }
    )]
    public async Task A_host_has_not_loaded_packages_that_it_does_not_use(string gateway, string[] used, string[] unused)
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // Only Linux can list what a process has loaded.
        }

        await using var surroundings = await Surroundings.StartAsync();
        await using var host = await GatewayProcess.Start(gateway, surroundings, GatewayProcess.NewFolder(gateway));

        var loaded = host.LoadedAssemblies;

        Assert.Subset(loaded, used.ToHashSet());
        Assert.Empty(loaded.Intersect(unused));
    }
}
