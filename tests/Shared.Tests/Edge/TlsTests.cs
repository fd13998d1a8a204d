using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bff.TestKit;

namespace Bff.Shared.Tests.Edge;

public sealed class TlsTests : IAsyncLifetime
{
    private readonly string _certificate = Path.GetTempFileName();
    private readonly ConcurrentQueue<string> _reached = new();
    private string? _thumbprint;
    private TestHost? _host;

    public async Task InitializeAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddHours(1));
        _thumbprint = certificate.GetCertHashString();
        await File.WriteAllBytesAsync(_certificate, certificate.Export(X509ContentType.Pkcs12, "test"));
        _host = await EdgeHost.Start(
            _reached,
            new Dictionary<string, string?>
            {
                ["Kestrel:Endpoints:Http:Url"] = "https://127.0.0.1:0",
                ["Kestrel:Endpoints:Http:Certificate:Path"] = _certificate,
                ["Kestrel:Endpoints:Http:Certificate:Password"] = "test",
            }
        );
    }

    public async Task DisposeAsync()
    {
        await _host!.DisposeAsync();
        File.Delete(_certificate);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Tls_ends_at_the_gateway_over_both_versions_of_http(string version)
    {
        using var client = Client();

        using var answer = await Send(client, HttpMethod.Get, "/items/5", version);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(version, answer.Version.ToString());
        Assert.Equal("max-age=31536000; includeSubDomains", Assert.Single(answer.Headers.GetValues("Strict-Transport-Security")));
        Assert.False(answer.Headers.Contains("Server"));
        Assert.Equal(["GET /items/5"], _reached);
    }

    [Theory]
    [InlineData("/any/a%2fb")]
    [InlineData("/any/%252e%252e/x")]
    [InlineData("/any/..;/items/5")]
    [InlineData("/any/../items/5")]
    [InlineData("/any//x")]
    [InlineData("/any/a\\b")]
    [InlineData("/any/%c0%af")]
    public async Task Http2_paths_follow_the_same_rules(string path)
    {
        using var client = Client();

        using var answer = await Send(client, HttpMethod.Get, path, "2.0");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.ToString());
        Assert.Empty(_reached);
    }

    [Fact]
    public async Task Http2_head_and_large_bodies_behave_as_over_http1()
    {
        using var client = Client();

        using var head = await Send(client, HttpMethod.Head, "/items/5", "2.0");
        using var large = await Send(client, HttpMethod.Post, "/upload", "2.0", new ByteArrayContent(new byte[1024 * 1024 + 1]));

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        Assert.Equal(["HEAD /items/5"], _reached);
    }

    private HttpClient Client() =>
        _host!.NewClient(
            new SocketsHttpHandler
            {
                UseProxy = false,
                SslOptions = new SslClientAuthenticationOptions
                {
                    RemoteCertificateValidationCallback = (_, presented, _, _) => presented?.GetCertHashString() == _thumbprint,
                },
            }
        );

    private async Task<HttpResponseMessage> Send(
        HttpClient client,
        HttpMethod method,
        string path,
        string version,
        HttpContent? content = null
    )
    {
        var asItIs = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        using var request = new HttpRequestMessage(method, new Uri(_host!.Address.GetLeftPart(UriPartial.Authority) + path, asItIs))
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        return await client.SendAsync(request);
    }
}
