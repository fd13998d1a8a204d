using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Starting;

/// <summary>An unusable value gives one line with its key and without the value, exit code 1, and no stack trace.</summary>
public sealed class UnusableSettingsTests
{
    [Theory]
    [InlineData("MobileBff", "ConnectionStrings:redis", "127.0.0.1:1,password=hunter2,nonsense=1")]
    [InlineData("WebBff", "ConnectionStrings:redis", "127.0.0.1:port,password=hunter2")]
    [InlineData("PartnerBff", "ConnectionStrings:redis", "password=hunter2")]
    [InlineData("MobileBff", "ConnectionStrings:redis", "127.0.0.1:1,password=hunter2,ssl=perhaps")]
    [InlineData("WebBff", "ConnectionStrings:redis", "rediss://bff:hunter2@127.0.0.1:port")]
    [InlineData("PartnerBff", "State:Redis:PasswordFile", "/no/such/hunter2")]
    [InlineData("MobileBff", "State:Redis:ServerCa:Path", "/no/such/hunter2.pem")]
    [InlineData("MobileBff", "ASPNETCORE_URLS", "hunter2", "Urls")]
    [InlineData("MobileBff", "ASPNETCORE_URLS", "http://127.0.0.1:99999", "Urls")]
    [InlineData("MobileBff", "ASPNETCORE_URLS", "http://localhost:0", "Urls")]
    [InlineData("MobileBff", "Kestrel:Endpoints:Http:Url", "http://127.0.0.1:0/hunter2")]
    [InlineData("MobileBff", "Kestrel:Endpoints:Http:Url", "hunter2")]
    [InlineData("WebBff", "Kestrel:Endpoints:Tls:Certificate:Path", "/no/such/hunter2.pfx")]
    [InlineData("WebBff", "Logging:LogLevel:Default", "hunter2")]
    [InlineData("WebBff", "OTEL_EXPORTER_OTLP_HEADERS", "hunter2")]
    [InlineData("MobileBff", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "hunter2")]
    [InlineData("PartnerBff", "ASPNETCORE_CONTENTROOT", "/no/such/hunter2", "contentRoot")]
    [InlineData("PartnerBff", "ApiKeys:Pepper", "hunter2")]
    [InlineData("WebBff", "Upstreams:users:ClientCertificate:Path", "/no/such/hunter2.pem")]
    public async Task An_unusable_value_is_named_and_ends_the_host_with_code_1(
        string gateway,
        string key,
        string value,
        string? named = null
    )
    {
        await using var surroundings = await Surroundings.StartAsync();
        (string, string)[] settings =
            key.Contains(":Tls:", StringComparison.Ordinal) ? [("Kestrel:Endpoints:Tls:Url", "https://127.0.0.1:0"), (key, value)]
            : key.StartsWith("OTEL_", StringComparison.Ordinal) ? [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), (key, value)]
            : [(key, value)];
        await using var host = GatewayProcess.StartInVain(gateway, surroundings, GatewayProcess.NewFolder(gateway), settings);

        var code = await host.Exit();

        await host.Prints("The host does not start.");
        Assert.Equal(1, code);
        Assert.Contains((named ?? key) + ":", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", host.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MobileBff")]
    [InlineData("WebBff")]
    [InlineData("PartnerBff")]
    public async Task The_settings_of_the_overlay_have_no_mistake(string gateway)
    {
        await using var surroundings = await Surroundings.StartAsync();
        var folder = GatewayProcess.NewFolder(gateway);
        var overlay = gateway.Replace("Bff", "", StringComparison.Ordinal).ToLowerInvariant();
        File.Copy(
            Checkout.At("deploy", "kubernetes", "overlays", overlay, "settings.json"),
            Path.Combine(folder, "appsettings.Production.json")
        );
        await using var host = GatewayProcess.StartInVain(
            gateway,
            surroundings,
            folder,
            ["--check-settings", "--urls", "http://127.0.0.1:0"],
            ("ASPNETCORE_ENVIRONMENT", "Production"),
            ("ConnectionStrings:redis", "127.0.0.1:1"),
            ("ApiKeys:Pepper", new string('p', 32))
        );

        Assert.Equal(0, await host.Exit());
        await host.Prints("The settings have no mistake.");
    }

    [Fact]
    public async Task A_misspelt_key_of_a_file_ends_the_host_and_the_right_one_is_named()
    {
        await using var surroundings = await Surroundings.StartAsync();
        var folder = GatewayProcess.NewFolder("WebBff");
        await File.WriteAllTextAsync(
            Path.Combine(folder, "appsettings.Development.json"),
            """{ "Sesion": { "ClientId": "web" }, "Upstreams": { "users": { "Timout": "00:00:01" } }, "ReverseProxy": { "Routes": { "media": { "CorsPolicy": "any" } } } }"""
        );
        await using var host = GatewayProcess.StartInVain("WebBff", surroundings, folder);

        Assert.Equal(1, await host.Exit());

        await host.Prints("Sesion:ClientId: is not read by this host. Did you mean Session:ClientId?");
        await host.Prints("Upstreams:users:Timout: is not read by this host. Did you mean Upstreams:users:Timeout?");
        await host.Prints("ReverseProxy:Routes:media:CorsPolicy: is not read. Origins are allowed for the whole host, in Cors:Origins.");
        Assert.DoesNotContain("   at ", host.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MobileBff", "Sesion:ClientId", "Upstreams:orders:Timeout", "00:00:02", 0)] // A variable may be another program's.
    [InlineData("WebBff", "Sesion:ClientId", "Upstreams:orders:Timout", "00:00:02", 1)]
    [InlineData("PartnerBff", "Sesion:ClientId", "Upstreams:orders:Timeout", "soon", 1)]
    public async Task Settings_are_checked_without_a_start(string gateway, string others, string key, string value, int code)
    {
        await using var surroundings = await Surroundings.StartAsync();
        await using var host = GatewayProcess.StartInVain(
            gateway,
            surroundings,
            GatewayProcess.NewFolder(gateway),
            ["--check-settings"],
            ("Elsewhere:" + others, "1"),
            (key, value),
            ("ConnectionStrings:redis", "127.0.0.1:1")
        );

        Assert.Equal(code, await host.Exit());

        Assert.DoesNotContain("Now listening on", host.Output, StringComparison.Ordinal);
        Assert.Single(host.Output.Split(code == 0 ? "The settings have no mistake." : key).Skip(1)); // Each mistake is reported once.
        Assert.DoesNotContain("does not start", host.Output, StringComparison.Ordinal);
    }

    /// <summary>The framework reads the files before any code of ours runs.</summary>
    [Theory]
    [InlineData("MobileBff")]
    [InlineData("WebBff", "--check-settings")]
    [InlineData("PartnerBff", "--check-settings")]
    public async Task A_file_that_is_no_JSON_is_named_with_the_place(string gateway, params string[] arguments)
    {
        await using var surroundings = await Surroundings.StartAsync();
        var folder = GatewayProcess.NewFolder(gateway);
        await File.WriteAllTextAsync(Path.Combine(folder, "appsettings.Development.json"), "{ \"Composition\": { \"home-feed\": ");
        await using var host = GatewayProcess.StartInVain(gateway, surroundings, folder, arguments);

        Assert.Equal(1, await host.Exit());

        Assert.Single(
            host.Output.Split(Environment.NewLine),
            l =>
                l.Contains("appsettings.Development.json", StringComparison.Ordinal)
                && l.Contains("LineNumber: 0", StringComparison.Ordinal)
        );
        Assert.Equal(arguments.Length == 0, host.Output.Contains("The host does not start.", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", host.Output, StringComparison.Ordinal);
    }
}
