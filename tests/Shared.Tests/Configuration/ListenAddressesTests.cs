using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;

namespace Bff.Shared.Tests.Configuration;

/// <summary>What the server would trip over while it starts.</summary>
public sealed class ListenAddressesTests
{
    private const string Url = "Kestrel:Endpoints:Tls:Url";

    [Theory]
    [InlineData("Production", "Urls", "https://0.0.0.0:8443", null, null)]
    [InlineData("Production", Url, "https://0.0.0.0:8443", null, null)]
    [InlineData("Staging", "Urls", "http://0.0.0.0:8080;HTTPS://0.0.0.0:8443", null, null)]
    [InlineData("Production", "Urls", "https://0.0.0.0:8443", "Kestrel:Certificates:Other:Subject", "gateway")]
    public void Https_without_a_certificate_is_named(string environment, string key, string address, string? more, string? value) =>
        Assert.Equal(
            [$"{key}: https needs a certificate. Name one in Kestrel:Certificates:Default:Path."],
            Mistakes(environment, key, address, more, value)
        );

    [Theory]
    [InlineData("Development", "Urls", "https://localhost:8443", null, null)] // The framework's own.
    [InlineData("Production", "Urls", "http://0.0.0.0:8080", null, null)]
    [InlineData("Production", "Urls", "https://0.0.0.0:8443", "Kestrel:Certificates:Default:Subject", "gateway")]
    [InlineData("Production", "Urls", "https://0.0.0.0:8443", Url, "http://0.0.0.0:8080")] // Nothing listens at Urls then.
    [InlineData("Production", Url, "https://0.0.0.0:8443", "Kestrel:Endpoints:Tls:Certificate:Subject", "gateway")]
    [InlineData("Production", Url, "https://0.0.0.0:8443", "Kestrel:Endpoints:Tls:Sni:api.example.com:Certificate:Subject", "gateway")]
    public void Other_addresses_have_no_mistake(string environment, string key, string address, string? more, string? value) =>
        Assert.Empty(Mistakes(environment, key, address, more, value));

    private static IEnumerable<string> Mistakes(string environment, string key, string address, string? more, string? value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(key, address), new(more ?? "Other", value)]).Build();
        var host = new HostingEnvironment { EnvironmentName = environment };
        return new ListenAddressesValidator(configuration, host).Validate(null, new()).Failures ?? [];
    }
}
