using System.Net;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Bff.Shared.Tests.Routes;

/// <summary>Tests HTTP/3 between clients and the gateway.</summary>
public sealed class Http3Tests
{
    [Http3Fact]
    public async Task HTTP3_is_advertised_and_served()
    {
        using var authority = new TestAuthority();
        var certificate = authority.Issue("gateway");
        await using var service = await TestHost.Start(
            _ => { },
            app =>
                app.Run(async context =>
                {
                    context.Response.Headers["Alt-Svc"] = "h3=\":1\"";
                    await context.Response.WriteAsync("hello");
                })
        );
        var port = FreePort.Next(); // Kestrel serves HTTP/3 only on a port that is known in advance.
        await using var bench = await GrpcBench.Start(
            new()
            {
                ["Kestrel:Endpoints:Http2:Url"] = $"https://127.0.0.1:{port}",
                ["Kestrel:Endpoints:Http2:Protocols"] = "Http1AndHttp2AndHttp3",
                ["Kestrel:Endpoints:Http2:Certificate:Path"] = certificate.CertificateFile,
                ["Kestrel:Endpoints:Http2:Certificate:KeyPath"] = certificate.KeyFile,
                ["Upstreams:page:Address"] = service.Address.ToString(),
                ["ReverseProxy:Routes:page:ClusterId"] = "page",
                ["ReverseProxy:Routes:page:Match:Path"] = "/page",
                ["ReverseProxy:Routes:page:Metadata:Scope"] = "api",
            }
        );
        using var client = bench.Gateway.NewClient(authority.NewHandler());

        using var over2 = await Get(HttpVersion.Version20);
        Assert.Equal($"h3=\":{port}\"", Assert.Single(over2.Headers.GetValues("Alt-Svc")));
        using var over3 = await Get(HttpVersion.Version30);
        Assert.Equal((HttpVersion.Version30, "hello"), (over3.Version, await over3.Content.ReadAsStringAsync()));

        async Task<HttpResponseMessage> Get(Version version)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(bench.Http2, "/page"))
            {
                Version = version,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            return await client.SendAsync(request);
        }
    }
}
