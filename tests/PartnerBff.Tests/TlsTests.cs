namespace PartnerBff.Tests;

/// <summary>TLS and HTTP/2 towards partners, and mTLS towards a service that refuses unknown clients.</summary>
public sealed class TlsTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Theory]
    [InlineData(true, HttpStatusCode.OK)]
    [InlineData(false, HttpStatusCode.BadGateway)]
    public async Task Partners_are_served_over_tls_and_http2_and_the_service_over_mtls(bool presents, HttpStatusCode expected)
    {
        using var authority = new TestAuthority();
        await using var inventory = await MutualTlsService.Start(
            authority,
            """{"productId":"p-1","inStock":true,"quantity":3,"warehouses":[],"updatedAt":"2026-01-01T00:00:00Z"}"""
        );
        var gateway = authority.Issue("gateway");
        var settings = PartnerHost.TlsEndpoint(authority.Issue("edge"));
        settings["Upstreams:inventory:Address"] = inventory.Address;
        settings["Upstreams:inventory:ServerCa:Path"] = authority.AuthorityFile;
        if (presents)
        {
            settings["Upstreams:inventory:ClientCertificate:Path"] = gateway.Pkcs12File;
            settings["Upstreams:inventory:ClientCertificate:Password"] = gateway.Password;
        }

        var host = Start(settings);
        using var client = host.NewClient(host.Addresses.Single(a => a.Scheme == "https"), authority.NewHandler());
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/inventory/p-1")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AcmeKey);
        using var answer = await client.SendAsync(request);

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal(HttpVersion.Version20, answer.Version);
        Assert.Equal(presents ? ["CN=gateway"] : [], inventory.Served.Select(s => s.Caller));
    }
}
