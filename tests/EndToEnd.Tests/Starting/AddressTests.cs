using System.Net;
using System.Net.Sockets;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Starting;

/// <summary>The address that a gateway listens on: the environment wins over files, and the command line over both.</summary>
public sealed class AddressTests : IDisposable
{
    private readonly TcpListener _taken = new(IPAddress.Loopback, 0);

    public AddressTests() => _taken.Start();

    private string Taken => "http://" + _taken.LocalEndpoint;

    [Theory]
    [InlineData("MobileBff")]
    [InlineData("WebBff")]
    [InlineData("PartnerBff")]
    public async Task The_environment_wins_over_a_files_address_and_the_command_line_over_both(string gateway)
    {
        await using var surroundings = await Surroundings.StartAsync();
        var folder = GatewayProcess.NewFolder(gateway);
        await File.WriteAllTextAsync(Path.Combine(folder, "appsettings.Development.json"), $$"""{ "Urls": "{{Taken}}" }""");

        await using var told = await GatewayProcess.Start(gateway, surroundings, folder, ("ASPNETCORE_URLS", "http://127.0.0.1:0"));
        await using var ordered = await GatewayProcess.Start(
            gateway,
            surroundings,
            folder,
            ["--urls", "http://127.0.0.1:0"],
            ("ASPNETCORE_URLS", Taken)
        );

        Assert.NotEqual(told.Address.Port, ordered.Address.Port);
    }

    [Fact]
    public async Task An_address_that_is_taken_ends_the_host_with_one_line_and_code_1()
    {
        await using var surroundings = await Surroundings.StartAsync();
        await using var gateway = GatewayProcess.StartInVain(
            "MobileBff",
            surroundings,
            GatewayProcess.NewFolder("MobileBff"),
            ("ASPNETCORE_URLS", Taken)
        );

        Assert.Equal(1, await gateway.Exit());
        await gateway.Prints("The host does not start. Failed to bind to address " + Taken);
    }

    public void Dispose() => _taken.Dispose();
}
