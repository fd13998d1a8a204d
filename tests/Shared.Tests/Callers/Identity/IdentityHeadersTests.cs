using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Bff.Callers.Identity;
using Bff.Requests;
using Bff.TestKit;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Bff.Shared.Tests.Callers.Identity;

/// <summary>One issuer and one gateway that the tests share, in front of a service that records the headers it receives.</summary>
public sealed class IdentityHeadersHost : IAsyncLifetime
{
    private WebApplication _service = null!;

    internal TestIssuer Issuer { get; private set; } = null!;

    internal CallersHost Host { get; private set; } = null!;

    internal ConcurrentQueue<Dictionary<string, string>> Arrived { get; } = new();

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _service = builder.Build();
        _service.Run(context =>
        {
            Arrived.Enqueue(context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString()));
            return Task.CompletedTask;
        });
        await _service.StartAsync();
        Issuer = await TestIssuer.Start();
        Host = await (
            await CallersHost.Start(
                Issuer,
                new()
                {
                    ["Upstreams:orders:Address"] = _service.Urls.First(),
                    ["Upstreams:orders:Timeout"] = "00:00:30",
                    ["ReverseProxy:Routes:orders:ClusterId"] = "orders",
                    ["ReverseProxy:Routes:orders:Match:Path"] = "/proxied/{**rest}",
                    ["ReverseProxy:Routes:orders:Metadata:Scope"] = "api",
                }
            )
        ).Ready();
    }

    public async Task DisposeAsync()
    {
        await Host.DisposeAsync();
        await Issuer.DisposeAsync();
        await _service.DisposeAsync();
    }
}

public sealed class IdentityHeadersTests(IdentityHeadersHost shared) : IClassFixture<IdentityHeadersHost>
{
    private static readonly string[] Names =
    [
        "X-User-Id",
        "X-User-Email",
        "X-User-Roles",
        "X-OAuth-Scopes",
        "X-Tenant-Id",
        "X-Client-Id",
        "X-Identity-Token",
    ];

    public static TheoryData<string, string> Spellings
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (var name in Names)
            {
                foreach (var path in (string[])["/guarded", "/public"])
                {
                    all.Add(path, $"{name}: admin");
                    all.Add(path, $"{name.ToLowerInvariant()}: admin");
                    all.Add(path, $"{name.ToUpperInvariant()}: admin");
                    all.Add(path, $"{name.Replace('-', '_')}: admin");
                    all.Add(path, $"{name.ToLowerInvariant().Replace("-", "_", StringComparison.Ordinal)}: admin");
                    all.Add(path, $"X_{name[2..]}: admin");
                    all.Add(path, $"{name}: u-1\r\n{name}: admin\r\n{name.Replace('-', '_')}: admin");
                    all.Add(path, $"Connection: {name}\r\n{name}: admin");
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task A_clients_own_identity_headers_are_removed_in_every_spelling(string path, string lines)
    {
        var host = shared.Host;
        var answer = await RawHttp.Send(
            host.Client.BaseAddress!,
            $"GET {path} HTTP/1.1\r\nHost: {host.Client.BaseAddress!.Authority}\r\nX-Other: kept\r\nAuthorization: Bearer {shared.Issuer.Token()}\r\n{lines}\r\n\r\n",
            host.Leaks
        );

        Assert.Equal(200, answer.Status);
        // The token is left out, because its text may contain any letters.
        Assert.DoesNotContain(host.Seen, seen => seen.Key != "Authorization" && seen.Value.Contains("admin", StringComparison.Ordinal));
        Assert.DoesNotContain(host.Seen.Keys, seen => Names.Contains(seen.Replace('_', '-'), StringComparer.OrdinalIgnoreCase));
        Assert.Equal("kept", host.Seen["X-Other"]);
        Assert.Equal(new Dictionary<string, string> { ["X-User-Id"] = "u-1", ["X-OAuth-Scopes"] = "api" }, host.Upstream);
    }

    [Theory]
    [InlineData("éric@x", "%C3%A9ric@x")]
    [InlineData("%C3%A9ric@x", "%25C3%25A9ric@x")]
    [InlineData("100%", "100%25")]
    [InlineData(" u-1", "%20u-1")]
    [InlineData("a,b", "a,b")]
    public async Task An_identity_header_decodes_to_the_value_in_the_token(string subject, string header)
    {
        await shared.Host.Get(shared.Issuer.Token(c => c["sub"] = subject));

        Assert.Equal(header, shared.Host.Upstream["X-User-Id"]);
        Assert.Equal(subject, Uri.UnescapeDataString(header));
    }

    [Fact]
    public async Task A_role_stays_one_role_whatever_characters_it_contains()
    {
        string[] roles = ["plain", "a,admin", "a%2Cadmin", " b ", "é"];

        await shared.Host.Get(shared.Issuer.Token(c => c["roles"] = new JsonArray([.. roles.Select(r => JsonValue.Create(r))])));

        var header = shared.Host.Upstream["X-User-Roles"];
        Assert.Equal("plain,a%2Cadmin,a%252Cadmin,%20b%20,%C3%A9", header);
        Assert.Equal(roles, header.Split(',').Select(Uri.UnescapeDataString));
        Assert.DoesNotContain("admin", header.Split(','));
    }

    [Fact]
    public void Different_callers_never_have_the_same_headers() =>
        Prop.ForAll<NonEmptyString, NonEmptyString, NonEmptyString[]>(
                (one, two, roles) =>
                {
                    var (first, second) = (Headers(one.Get, roles), Headers(two.Get, roles));
                    return (Printable(one.Get) == Printable(two.Get)) == (first["X-User-Id"] == second["X-User-Id"])
                        && Uri.UnescapeDataString(first["X-User-Id"]) == Printable(one.Get)
                        && (
                            roles.Length == 0
                            || first["X-User-Roles"]
                                .Split(',')
                                .Select(Uri.UnescapeDataString)
                                .SequenceEqual(roles.Select(r => Printable(r.Get)))
                        );
                }
            )
            .QuickCheckThrowOnFailure();

    private static Dictionary<string, string> Headers(string subject, NonEmptyString[] roles) =>
        new(
            IdentityHeaders.Of(
                new Caller
                {
                    Subject = Printable(subject),
                    Kind = CallerKind.Token,
                    Roles = [.. roles.Select(r => Printable(r.Get))],
                }
            )
        );

    /// <summary>Returns a text that a token can hold, with no lone surrogates.</summary>
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsSurrogate(c) ? '?' : c));

    [Fact]
    public async Task An_anonymous_request_carries_no_identity_upstream()
    {
        var host = shared.Host;
        await RawHttp.Send(
            host.Client.BaseAddress!,
            $"GET /public HTTP/1.1\r\nHost: {host.Client.BaseAddress!.Authority}\r\nX-User-Id: admin\r\n\r\n",
            host.Leaks
        );

        Assert.Empty(host.Upstream);
    }

    [Fact]
    public async Task A_Connection_header_does_not_remove_the_gateways_identity_headers_on_a_route()
    {
        var host = shared.Host;
        shared.Arrived.Clear();

        var answer = await RawHttp.Send(
            host.Client.BaseAddress!,
            $"GET /proxied/a HTTP/1.1\r\nHost: {host.Client.BaseAddress!.Authority}\r\nAuthorization: Bearer {shared.Issuer.Token()}\r\nX-User-Id: admin\r\nx_user_id: admin\r\nConnection: X-User-Id, X-OAuth-Scopes\r\n\r\n",
            host.Leaks
        );

        Assert.Equal(200, answer.Status);
        var headers = Assert.Single(shared.Arrived);
        Assert.Equal("u-1", headers["X-User-Id"]);
        Assert.Equal("api", headers["X-OAuth-Scopes"]);
        Assert.DoesNotContain("x_user_id", headers.Keys, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain("Authorization", headers.Keys);
    }

    [RedisFact]
    public async Task A_signed_assertion_verifies_with_the_keys_that_any_instance_publishes()
    {
        using var redis = RedisServer.Run();
        await using var issuer = await TestIssuer.Start();
        var settings = new Dictionary<string, string?>
        {
            ["Identity:SignedAssertion"] = "true",
            ["ConnectionStrings:redis"] = redis.ConnectionString,
        };
        await using var one = await (await CallersHost.Start(issuer, settings)).Ready();
        await using var two = await (await CallersHost.Start(issuer, settings)).Ready();

        var token = issuer.Token(c =>
        {
            c["roles"] = new JsonArray("premium");
            c["tid"] = "acme";
        });
        await one.Get(token);
        var assertion = one.Upstream["X-Identity-Token"];
        await one.Get(token);
        Assert.Equal(assertion, one.Upstream["X-Identity-Token"]); // The assertion is cached, not signed per request.

        var published = await two.Client.GetStringAsync("/.well-known/gateway-jwks.json");
        Assert.DoesNotContain("\"d\"", published, StringComparison.Ordinal);
        var result = await new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(
            assertion,
            new TokenValidationParameters
            {
                IssuerSigningKeys = new JsonWebKeySet(published).GetSigningKeys(),
                ValidIssuer = "bff",
                ValidAudience = "orders",
                ValidAlgorithms = ["ES256"],
            }
        );
        Assert.True(result.IsValid, result.Exception?.Message);
        Assert.Equal("u-1", result.Claims["sub"]);
        Assert.Equal("acme", result.Claims["tid"]);
        Assert.InRange(result.SecurityToken.ValidTo, DateTime.UtcNow, DateTime.UtcNow.AddMinutes(3));
    }

    [Fact]
    public async Task An_assertion_is_renewed_before_it_expires_and_is_for_one_upstream()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var host = await (
            await CallersHost.Start(
                issuer,
                new() { ["Identity:SignedAssertion"] = "true" },
                b => b.Services.AddSingleton<TimeProvider>(clock)
            )
        ).Ready();
        var assertions = host.Services.GetRequiredService<IdentityAssertions>();
        var caller = new Caller { Subject = "u-1", Kind = CallerKind.Token };

        var first = assertions.For(caller, "orders");
        Assert.NotEqual(first, assertions.For(caller, "users"));
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(first, assertions.For(caller, "orders"));
        clock.Advance(TimeSpan.FromSeconds(2));

        Assert.NotEqual(first, assertions.For(caller, "orders"));
        Assert.Null(assertions.For(Caller.Anonymous, "orders"));
    }

    [Fact]
    public async Task A_host_without_signed_assertions_sends_none_and_publishes_no_key_set()
    {
        await shared.Host.Get(shared.Issuer.Token());

        Assert.DoesNotContain("X-Identity-Token", shared.Host.Upstream.Keys);
        Assert.Equal("not_found", (await shared.Host.Get(null, "/.well-known/gateway-jwks.json")).Code);
    }
}
