namespace WebBff.Tests;

/// <summary>TLS and HTTP/2 towards clients, and mTLS towards a service that refuses unknown clients.</summary>
public sealed class TlsTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private const string Nothing = """{"items":[],"total":0}""";

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Clients_are_served_over_tls_and_the_service_over_mtls(string version)
    {
        using var authority = new TestAuthority();
        await using var search = await MutualTlsService.Start(authority, Nothing);
        var gateway = authority.Issue("gateway");
        var host = Start(
            new(WebHost.TlsEndpoint(authority.Issue("edge")))
            {
                ["Upstreams:search:Address"] = search.Address,
                ["Upstreams:search:HedgeAfter"] = "00:01:00", // Otherwise a slow handshake would cause a second call.
                ["Upstreams:search:ClientCertificate:Path"] = gateway.CertificateFile,
                ["Upstreams:search:ClientCertificate:KeyPath"] = gateway.KeyFile,
                ["Upstreams:search:ServerCa:Path"] = authority.AuthorityFile,
            }
        );

        using var answer = await AskOverTls(host, authority, version);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(version, answer.Version.ToString());
        Assert.True(answer.Headers.Contains("Strict-Transport-Security"));
        Assert.Equal(("/search", "CN=gateway"), Assert.Single(search.Served));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task No_request_is_sent_without_a_client_certificate_or_to_an_untrusted_service(bool presents, bool trusts)
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority();
        await using var search = await MutualTlsService.Start(authority, Nothing);
        var gateway = authority.Issue("gateway");
        var settings = WebHost.TlsEndpoint(authority.Issue("edge"));
        settings["Upstreams:search:Address"] = search.Address;
        settings["Upstreams:search:ServerCa:Path"] = (trusts ? authority : stranger).AuthorityFile;
        if (presents)
        {
            settings["Upstreams:search:ClientCertificate:Path"] = gateway.CertificateFile;
            settings["Upstreams:search:ClientCertificate:KeyPath"] = gateway.KeyFile;
        }

        using var answer = await AskOverTls(Start(settings), authority, "2.0");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal("upstream_failed", JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["code"]!.GetValue<string>());
        Assert.Empty(search.Served);
    }

    private static async Task<HttpResponseMessage> AskOverTls(WebHost host, TestAuthority authority, string version)
    {
        using var client = host.NewClient(host.Addresses.Single(a => a.Scheme == "https"), authority.NewHandler());
        using var request = host.Request(HttpMethod.Get, "/api/search?q=shoe");
        request.Version = Version.Parse(version);
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return await client.SendAsync(request);
    }
}
