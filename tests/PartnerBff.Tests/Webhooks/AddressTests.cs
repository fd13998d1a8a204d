using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;
using PartnerBff.Webhooks;
using PartnerBff.Webhooks.Addresses;

namespace PartnerBff.Tests.Webhooks;

public sealed class AddressTests
{
    public static TheoryData<string, bool> Addresses =>
        new()
        {
            { "0.0.0.0", false },
            { "0.1.2.3", false },
            { "10.0.0.1", false },
            { "10.255.255.255", false },
            { "100.64.0.1", false },
            { "100.127.255.255", false },
            { "127.0.0.1", false },
            { "127.1.2.3", false },
            { "169.254.0.1", false },
            { "169.254.169.254", false },
            { "172.16.0.1", false },
            { "172.31.255.255", false },
            { "192.0.0.1", false },
            { "192.0.0.170", false },
            { "192.0.2.1", false },
            { "192.88.99.1", false },
            { "192.168.0.1", false },
            { "192.168.255.255", false },
            { "198.18.0.1", false },
            { "198.19.255.255", false },
            { "198.51.100.7", false },
            { "203.0.113.9", false },
            { "224.0.0.1", false },
            { "239.255.255.255", false },
            { "240.0.0.1", false },
            { "255.255.255.255", false },
            { "::", false },
            { "::1", false },
            { "::ffff:127.0.0.1", false },
            { "::ffff:10.0.0.1", false },
            { "::ffff:8.8.8.8", false },
            { "::127.0.0.1", false },
            { "::8.8.8.8", false },
            { "fe80::1", false },
            { "fe80::1%1", false },
            { "febf::1", false },
            { "fec0::1", false },
            { "fc00::1", false },
            { "fd12:3456::1", false },
            { "ff02::1", false },
            { "ff0e::1", false },
            { "64:ff9b::7f00:1", false },
            { "64:ff9b::808:808", false },
            { "64:ff9b:1::1", false },
            { "100::1", false },
            { "2001::1", false },
            { "2001:0:4136:e378:8000:63bf:3fff:fdd2", false },
            { "2001:2::1", false },
            { "2001:10::1", false },
            { "2001:20::1", false },
            { "2001:db8::1", false },
            { "2002:7f00:1::", false },
            { "2002:c0a8:101::1", false },
            { "3fff::1", false },
            { "5f00::1", false },
            { "4000::1", false },
            { "8.8.8.8", true },
            { "1.1.1.1", true },
            { "9.255.255.255", true },
            { "11.0.0.0", true },
            { "100.63.255.255", true },
            { "100.128.0.0", true },
            { "172.15.255.255", true },
            { "172.32.0.0", true },
            { "192.167.255.255", true },
            { "192.169.0.0", true },
            { "198.17.255.255", true },
            { "198.20.0.0", true },
            { "223.255.255.255", true },
            { "2606:4700::1111", true },
            { "2a00:1450:4001::1", true },
            { "2001:4860:4860::8888", true },
        };

    [Theory, MemberData(nameof(Addresses))]
    public void Only_public_addresses_are_public(string address, bool isPublic) =>
        Assert.Equal(isPublic, AddressGuard.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("https://example.com/hook")]
    [InlineData("https://example.com:443/a?b=c")]
    [InlineData("https://8.8.8.8/")]
    [InlineData("https://[2606:4700::1111]/")]
    public void Public_https_is_accepted(string url) => Assert.Null(Urls().Objection(url));

    [Theory]
    [InlineData("")]
    [InlineData("example.com")]
    [InlineData("//example.com/")]
    [InlineData("ftp://example.com/")]
    [InlineData("https://example.com:8443/")]
    [InlineData("https://[2606:4700::1111]:80/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://example.com/")]
    [InlineData("https://user@example.com/")]
    [InlineData("https://user:secret@example.com/")]
    [InlineData("https://@example.com/")]
    [InlineData("https://example.com\\@127.0.0.1/")]
    [InlineData("https://example.com/#f")]
    [InlineData("https://exa mple.com/")]
    [InlineData("https://example.com/\r\nx: y")]
    [InlineData("https://localhost/")]
    [InlineData("https://LOCALHOST./")]
    [InlineData("https://app.localhost/")]
    [InlineData("https://printer.local/")]
    [InlineData("https://metadata.google.internal/")]
    [InlineData("https://redis/")]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://127.1/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f000001/")]
    [InlineData("https://0x7f.0.0.1/")]
    [InlineData("https://0177.0.0.1/")]
    [InlineData("https://017700000001/")]
    [InlineData("https://0/")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://2852039166/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[::ffff:127.0.0.1]/")]
    [InlineData("https://[::ffff:7f00:1]/")]
    [InlineData("https://[fe80::1%25eth0]/")]
    [InlineData("https://[fe80::1%eth0]/")]
    [InlineData("https://[64:ff9b::7f00:1]/")]
    [InlineData("https://[2002:7f00:1::]/")]
    [InlineData("https://%31%32%37.0.0.1/")]
    [InlineData("https://１２７.0.0.1/")]
    [InlineData("https://①②⑦.⓪.⓪.①/")]
    public void Every_other_url_is_refused(string url) => Assert.NotNull(Urls().Objection(url));

    /// <summary>The ports that the cluster lets out are allowed; on a developer's machine every port is.</summary>
    [Theory]
    [InlineData("https://example.com:8443/", "Production", 8443, null)]
    [InlineData("https://example.com/", "Production", 8443, "Must have port 8443: events are delivered to no other port.")]
    [InlineData("http://example.com:9999/", "Development", null, null)]
    [InlineData("http://example.com:0/", "Development", null, "Must be an absolute URL of at most 2048 characters.")]
    public void Ports_are_those_that_an_installation_delivers_to(string url, string environment, int? port, string? objection)
    {
        var options = new WebhookOptions { Ports = port is { } one ? [one] : null };

        Assert.Equal(
            objection,
            new WebhookUrl(Options.Create(options), new HostingEnvironment { EnvironmentName = environment }).Objection(url)
        );
    }

    [Fact]
    public async Task A_name_is_checked_at_every_connection_with_all_of_its_addresses_and_never_resolved_twice()
    {
        var asked = 0;
        IPAddress[][] answers =
        [
            [IPAddress.Parse("8.8.8.8"), IPAddress.Parse("10.0.0.1")], // One private address is enough to refuse.
            [IPAddress.Loopback],
            [IPAddress.Parse("::ffff:127.0.0.1")],
            [],
        ];
        var connections = new GuardedConnections((_, _) => Task.FromResult(answers[asked++]), Options.Create(new WebhookOptions()));
        using var client = new HttpClient(connections.CreateHandler());
        for (var i = 0; i < answers.Length; i++)
        {
            var refused = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("http://partner.example/")));
            Assert.IsType<ForbiddenAddressException>(refused.InnerException ?? refused);
            Assert.Equal(i + 1, asked);
        }

        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("http://127.0.0.1:1/")));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("http://[::1]:1/")));
        Assert.Equal(answers.Length, asked);
    }

    [Fact]
    public async Task The_connection_goes_to_the_address_that_was_checked()
    {
        await using var receiver = await Receiver.Start();
        var port = new Uri(receiver.Url).Port;
        var asked = 0;
        var connections = new GuardedConnections(
            // The name resolves to another address a moment later.
            (_, _) => Task.FromResult<IPAddress[]>([asked++ == 0 ? IPAddress.Loopback : IPAddress.Parse("10.0.0.1")]),
            Options.Create(new WebhookOptions { AllowPrivateNetworks = true })
        );
        using var client = new HttpClient(connections.CreateHandler());
        using var answer = await client.PostAsync(new Uri($"http://partner.example:{port}/x"), new StringContent("{}"));
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(1, asked);
    }

    private static WebhookUrl Urls() =>
        new(Options.Create(new WebhookOptions()), new HostingEnvironment { EnvironmentName = Environments.Production });
}
