using System.Collections.Concurrent;
using System.Net;
using System.Security.Claims;
using Bff.Callers;
using Bff.Callers.Clients;
using Bff.Life;
using Bff.TestKit;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Transforms;

namespace Bff.Shared.Tests.Edge;

/// <summary>
/// Shows what a host with the framework's bearer tokens and YARP accepts by default, next to a gateway in front of the same service and
/// authority. If a newer framework closes one of these gaps, its test fails.
/// </summary>
public sealed class PlainHostTests : IAsyncLifetime
{
    private static readonly KeyValuePair<string, string?>[] Route =
    [
        new("ReverseProxy:Routes:any:ClusterId", "stub"),
        new("ReverseProxy:Routes:any:Match:Path", "/any/{**rest}"),
    ];

    private readonly ConcurrentQueue<Arrived> _arrived = new();
    private TestIssuer _issuer = null!;
    private TestHost _service = null!;
    private TestHost _plain = null!;
    private TestHost _gateway = null!;

    public async Task InitializeAsync()
    {
        _issuer = await TestIssuer.Start();
        _service = await TestHost.Start(_ => { }, app => app.Run(Note));
        _plain = await TestHost.Start(
            AddPlain,
            UsePlain,
            [.. Route, new("ReverseProxy:Clusters:stub:Destinations:one:Address", _service.Address.ToString())]
        );
        _gateway = await TestHost.Start(
            builder => builder.AddBffDefaults().AddBearerTokens(),
            app => app.UseBffPipeline(),
            [
                .. Route,
                new("ReverseProxy:Routes:any:Metadata:Scope", "api"),
                new("Upstreams:stub:Address", _service.Address.ToString()),
                new("Upstreams:stub:Timeout", "00:00:30"),
                new("Authentication:Schemes:Bearer:Authority", _issuer.Address),
                new("Authentication:Schemes:Bearer:ValidAudiences:0", "bff"),
                new("Authentication:Schemes:Bearer:RequireHttpsMetadata", "false"),
                new("Authentication:KeyRefresh", "00:00:03"),
                new("Plans:free:RequestsPerMinute", "100000"),
                new("Plans:free:Burst", "10000"),
            ]
        );
        await Eventually.True(() => _gateway.Services.GetServices<IReadinessCheck>().All(c => c.IsReady));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _plain.DisposeAsync();
        await _service.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_path_with_a_dot_segment_in_disguise_is_forwarded_by_defaults_and_refused_here()
    {
        Assert.Equal(200, await Ask(_plain, _issuer.Token(), "/any/..;/b"));
        Assert.Equal("/any/..;/b", Assert.Single(_arrived).Target);
        _arrived.Clear();

        Assert.Equal(400, await Ask(_gateway, _issuer.Token(), "/any/..;/b"));
        Assert.Empty(_arrived);
    }

    [Fact]
    public async Task A_token_that_expired_90_seconds_ago_is_accepted_by_defaults_and_refused_here()
    {
        var expired = _issuer.Token(c => c["exp"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 90);

        Assert.Equal(200, await Ask(_plain, expired));
        _arrived.Clear();

        Assert.Equal(401, await Ask(_gateway, expired));
        Assert.Empty(_arrived);
    }

    [Fact]
    public async Task A_claim_with_a_line_break_becomes_a_header_by_defaults_and_makes_the_token_invalid_here()
    {
        var forged = _issuer.Token(c => c["sub"] = "u-1\r\nX-Injected: admin");

        Assert.Equal(200, await Ask(_plain, forged));
        Assert.Equal("admin", Assert.Single(_arrived).Headers.GetValueOrDefault("X-Injected"));
        _arrived.Clear();

        Assert.Equal(401, await Ask(_gateway, forged));
        Assert.Empty(_arrived);
    }

    [Fact]
    public async Task A_second_rollover_and_a_withdrawn_key_are_missed_by_defaults_and_followed_here()
    {
        var first = _issuer.Token();
        Assert.Equal((200, 200), (await Ask(_plain, first), await Ask(_gateway, first)));

        foreach (var kid in (string[])["second", "third"])
        {
            _issuer.Rotate(kid, withdrawOld: true);
            await Eventually.True(async () => await Ask(_gateway, _issuer.Token()) == 200, TimeSpan.FromSeconds(10));
            await Eventually.True(
                async () => await Ask(_plain, _issuer.Token()) == (kid == "second" ? 200 : 401),
                TimeSpan.FromSeconds(10)
            );
        }

        await Eventually.True(async () => await Ask(_gateway, first) == 401, TimeSpan.FromSeconds(15));
        Assert.Equal(401, await Ask(_plain, _issuer.Token()));
        Assert.Equal(200, await Ask(_plain, first));
    }

    private static async Task<int> Ask(TestHost host, string token, string path = "/any/x") =>
        (
            await RawHttp.Send(host.Address, $"GET {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n\r\n", host.Leaks)
        ).Status;

    private void AddPlain(WebApplicationBuilder builder)
    {
        builder
            .Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme)
            .AddJwtBearer(options =>
                (options.Authority, options.Audience, options.RequireHttpsMetadata, options.MapInboundClaims) = (
                    _issuer.Address,
                    "bff",
                    false,
                    false
                )
            );
        builder.Services.AddAuthorization();
        builder
            .Services.AddReverseProxy()
            .LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"))
            .AddTransforms(transforms =>
                transforms.AddRequestTransform(request =>
                {
                    request.ProxyRequest.Headers.TryAddWithoutValidation("X-User-Id", request.HttpContext.User.FindFirstValue("sub"));
                    return default;
                })
            );
    }

    private static void UsePlain(WebApplication app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapReverseProxy().RequireAuthorization();
    }

    private Task Note(HttpContext context)
    {
        _arrived.Enqueue(
            new(
                context.Features.Get<IHttpRequestFeature>()!.RawTarget,
                context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase)
            )
        );
        return Task.CompletedTask;
    }

    private sealed record Arrived(string Target, Dictionary<string, string> Headers);
}
