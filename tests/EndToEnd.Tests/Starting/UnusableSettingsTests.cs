using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Starting;

/// <summary>A value that cannot be used: a line with its key and without the value, code 1, no stack trace.</summary>
public sealed class UnusableSettingsTests
{
    [Theory]
    [InlineData("MobileBff", "ConnectionStrings:redis", "127.0.0.1:1,password=hunter2,nonsense=1")]
    [InlineData("WebBff", "ConnectionStrings:redis", "127.0.0.1:port,password=hunter2")]
    [InlineData("PartnerBff", "ConnectionStrings:redis", "password=hunter2")]
    [InlineData("MobileBff", "ASPNETCORE_URLS", "hunter2", "Urls")]
    [InlineData("MobileBff", "Kestrel:Endpoints:Http:Url", "hunter2")]
    [InlineData("WebBff", "Kestrel:Endpoints:Tls:Certificate:Path", "/no/such/hunter2.pfx")]
    [InlineData("PartnerBff", "ApiKeys:Pepper", "hunter2")]
    [InlineData("WebBff", "Upstreams:users:ClientCertificate:Path", "/no/such/hunter2.pem")]
    public async Task It_is_named_and_the_host_ends_with_code_1(string gateway, string key, string value, string? named = null)
    {
        await using var surroundings = await Surroundings.StartAsync();
        (string, string)[] settings = key.Contains(":Tls:", StringComparison.Ordinal) ? [("Kestrel:Endpoints:Tls:Url", "https://127.0.0.1:0"), (key, value)] : [(key, value)];
        await using var host = GatewayProcess.StartInVain(gateway, surroundings, GatewayProcess.NewFolder(gateway), settings);

        var code = await host.Exit();

        await host.Prints("The host does not start.");
        Assert.Equal(1, code);
        Assert.Contains((named ?? key) + ":", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", host.Output, StringComparison.Ordinal);
    }
}
