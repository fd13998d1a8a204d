using System.Text;
using Bff.Routes;
using Bff.Shared.Tests.Upstreams;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Routes;

/// <summary>
/// Tests unusual but valid heads, through a configured route (<c>/any</c>) and through an endpoint of the host (<c>/own</c>).
/// </summary>
public sealed class OddHeadTests : IAsyncLifetime
{
    private RouteStage? _stage;

    public async Task InitializeAsync()
    {
        _stage = await RouteStage.Start(
            Serve,
            _ =>
                new()
                {
                    ["Plans:free:RequestsPerMinute"] = "100000",
                    ["Plans:free:Burst"] = "100000",
                    ["Upstreams:stub:Retries"] = "0",
                    ["Upstreams:stub:Timeout"] = "00:01:00",
                    ["Upstreams:stub:Breaker:MinimumThroughput"] = "2",
                    ["Upstreams:stub:Breaker:FailureRatio"] = "0.01",
                    ["ReverseProxy:Routes:any:ClusterId"] = "stub",
                    ["ReverseProxy:Routes:any:Match:Path"] = "/any",
                    ["ReverseProxy:Routes:any:Metadata:Scope"] = "api",
                },
            server: builder =>
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1),
            hasOwn: true
        );
    }

    public async Task DisposeAsync()
    {
        await _stage!.DisposeAsync();
    }

    [Theory]
    [InlineData("/any")]
    [InlineData("/own")]
    public async Task A_header_value_that_is_not_ASCII_reaches_the_service_unchanged(string path)
    {
        var bytes = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes("Gerät/1 ☂"));
        for (var i = 0; i < 4; i++) // Two failures would open the breaker.
        {
            var answer = await Send(path, $"User-Agent: {bytes}\r\n");

            Assert.True(answer.Status == 200, $"{answer.Status}: {answer.Text}");
            Assert.Equal("Gerät/1 ☂", answer.Text);
        }
    }

    [Theory]
    [InlineData("/any")]
    [InlineData("/own")]
    public async Task A_file_name_that_is_not_ASCII_reaches_the_client_unchanged(string path)
    {
        var answer = await Send(path, "Prefer: name\r\n");

        Assert.Equal(200, answer.Status);
        Assert.Equal(
            "attachment; filename=\"Gerät ☂.pdf\"",
            Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(answer.Header("Content-Disposition")!))
        );
    }

    [Theory]
    [InlineData("/any")]
    [InlineData("/own")]
    public async Task A_head_that_is_too_large_for_services_is_refused_and_does_not_open_the_breaker(string path)
    {
        for (var i = 0; i < 4; i++)
        {
            var answer = await Send(path, $"User-Agent: {new string('x', 20_000)}\r\n");

            Assert.True(answer.Status == 431, $"{answer.Status}: {answer.Text}");
        }

        Assert.Equal(200, (await Send(path, $"X-Not-Forwarded: {new string('x', 20_000)}\r\n")).Status);
        Assert.Equal(200, (await Send(path, $"User-Agent: {new string('x', 10_000)}\r\n")).Status);
    }

    [Fact]
    public void An_endpoint_of_the_host_has_the_idle_timeout_of_a_route() =>
        Assert.Equal(IdleTimeouts.Stream, PassThrough.Exchange.ActivityTimeout);

    private Task<RawResponse> Send(string path, string headers) =>
        RawHttp.Send(_stage!.Gateway.Address, $"GET {path} HTTP/1.1\r\nHost: gateway\r\n{headers}\r\n", new LeakSentinel());

    private static async Task Serve(HttpContext context)
    {
        var agent = context.Request.Headers.UserAgent.ToString();
        if (context.Request.Headers["Prefer"] == "name")
        {
            context.Response.Headers.ContentDisposition = Encoding.Latin1.GetString(
                Encoding.UTF8.GetBytes("attachment; filename=\"Gerät ☂.pdf\"")
            );
        }

        await context.Response.WriteAsync(agent.Length > 100 ? "" : agent);
    }
}
