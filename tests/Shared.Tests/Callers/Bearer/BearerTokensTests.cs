using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bff.Callers;
using Bff.Callers.Keys;
using Bff.Callers.Revoked;
using Bff.Configuration;
using Bff.Requests;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Callers.Bearer;

public sealed class BearerTokensTests
{
    [Fact]
    public async Task The_challenge_without_a_credential_is_only_the_scheme()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await CallersHost.Start(issuer);

        var (status, code, response) = await host.Get(null);

        Assert.Equal((HttpStatusCode.Unauthorized, "missing_token"), (status, code));
        Assert.Equal("Bearer", Assert.Single(response.Headers.WwwAuthenticate).ToString());
        Assert.Empty(host.Reached);
    }

    [Theory]
    [InlineData("Basic dTpw", "missing_token")]
    [InlineData("Bearer", "invalid_token")]
    [InlineData("Bearer ", "invalid_token")]
    [InlineData("Bearerx", "missing_token")]
    public async Task An_authorization_header_without_a_bearer_token_is_refused(string authorization, string expected)
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await CallersHost.Start(issuer);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/guarded");
        request.Headers.TryAddWithoutValidation("Authorization", authorization);

        Assert.Equal(expected, (await host.Send(request)).Code);
    }

    [Fact]
    public async Task A_repeated_authorization_header_is_refused_even_when_both_tokens_are_valid()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();
        var token = issuer.Token();

        var answer = await RawHttp.Send(
            host.Client.BaseAddress!,
            $"GET /guarded HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
            host.Leaks
        );

        Assert.Equal(401, answer.Status);
        Assert.Contains("invalid_token", answer.Text, StringComparison.Ordinal);
        Assert.Empty(host.Reached);
    }

    [Theory]
    [InlineData("?access_token=")]
    [InlineData("?a=1&access%5Ftoken=")]
    [InlineData("?ACCESS_TOKEN=")]
    public async Task A_token_in_the_query_is_refused_with_and_without_a_header(string query)
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();
        var token = issuer.Token();

        Assert.Equal("invalid_token", (await host.Get(null, "/guarded" + query + token)).Code);
        Assert.Equal("invalid_token", (await host.Get(token, "/guarded" + query + token)).Code);
        Assert.Empty(host.Reached);
    }

    [Fact]
    public async Task The_scheme_is_read_in_any_case()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/guarded");
        request.Headers.TryAddWithoutValidation("Authorization", "bEARER " + issuer.Token());

        Assert.Equal(HttpStatusCode.OK, (await host.Send(request)).Status);
    }

    [Fact]
    public async Task A_cached_token_expires_with_its_lifetime()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var host = await (
            await CallersHost.Start(issuer, configure: b => b.Services.AddSingleton<TimeProvider>(clock))
        ).Ready();
        var token = issuer.Token(c => c["exp"] = clock.GetUtcNow().ToUnixTimeSeconds() + 60);
        Assert.Equal(HttpStatusCode.OK, (await host.Get(token)).Status);

        clock.Advance(TimeSpan.FromSeconds(85));
        Assert.Equal(HttpStatusCode.OK, (await host.Get(token)).Status);
        clock.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal("token_expired", (await host.Get(token)).Code);
    }

    [Fact]
    public async Task HS256_is_accepted_with_a_configured_secret_and_for_its_issuer_only()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        await using var issuer = await TestIssuer.Start();
        await using var host = await (
            await CallersHost.Start(
                issuer,
                new()
                {
                    ["Authentication:SharedSecrets:0:Value"] = "base64:" + Convert.ToBase64String(secret),
                    ["Authentication:SharedSecrets:0:Issuer"] = "legacy",
                }
            )
        ).Ready();
        var key = SigningTestKey.Secret(secret);
        var claims = issuer.Claims();
        claims["iss"] = "legacy";

        Assert.Equal(HttpStatusCode.OK, (await host.Get(key.Sign(claims))).Status);
        Assert.Equal("invalid_token", (await host.Get(key.Sign(issuer.Claims()))).Code);
        Assert.Equal("invalid_token", (await host.Get(SigningTestKey.Secret(secret, algorithm: "HS512").Sign(claims))).Code);
        Assert.Equal("invalid_token", (await host.Get(SigningTestKey.Secret(RandomNumberGenerator.GetBytes(32)).Sign(claims))).Code);
        Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token())).Status);
    }

    [Fact]
    public async Task Tokens_of_dotnet_user_jwts_work_with_the_settings_it_writes_and_without_an_authority()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        await using var host = await (
            await CallersHost.Start(
                settings: new()
                {
                    ["Authentication:Schemes:Bearer:ValidIssuer"] = "dotnet-user-jwts",
                    ["Authentication:Schemes:Bearer:SigningKeys:0:Id"] = "c79ab1a8",
                    ["Authentication:Schemes:Bearer:SigningKeys:0:Issuer"] = "dotnet-user-jwts",
                    ["Authentication:Schemes:Bearer:SigningKeys:0:Value"] = Convert.ToBase64String(secret),
                    ["Authentication:Schemes:Bearer:SigningKeys:0:Length"] = "32",
                }
            )
        ).Ready();
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = "dotnet-user-jwts",
            ["aud"] = new JsonArray("bff"),
            ["sub"] = "dev",
            ["exp"] = now + 60,
            ["nbf"] = now,
            ["scope"] = "api",
        };

        Assert.Equal(HttpStatusCode.OK, (await host.Get(SigningTestKey.Secret(secret).Sign(claims, h => h.Remove("kid")))).Status);
    }

    [Fact]
    public async Task Claims_become_the_caller_and_its_headers()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();

        await host.Get(
            issuer.Token(c =>
            {
                c["sub"] = " J\u00fcrgen ";
                c["email"] = "j@example.com";
                c["roles"] = new JsonArray("admin", "a,b", "\u00fcber");
                c["role"] = "extra";
                c["scope"] = "write api";
                c["tid"] = "acme";
                c["azp"] = "app";
            })
        );

        Assert.Equal(" J\u00fcrgen ", Assert.Single(host.Reached).Subject);
        Assert.Equal("%20J%C3%BCrgen%20", host.Upstream["X-User-Id"]);
        Assert.Equal("j@example.com", host.Upstream["X-User-Email"]);
        Assert.Equal("admin,a%2Cb,%C3%BCber,extra", host.Upstream["X-User-Roles"]);
        Assert.Equal("api write", host.Upstream["X-OAuth-Scopes"]);
        Assert.Equal("acme", host.Upstream["X-Tenant-Id"]);
        Assert.Equal("app", host.Upstream["X-Client-Id"]);
    }

    [Theory]
    [InlineData("Authority", null, "Authentication:Schemes:Bearer:Authority")]
    [InlineData("Authority", "http://127.0.0.1:1", "Authentication:Schemes:Bearer:Authority")]
    [InlineData("Authority", "nonsense", "Authentication:Schemes:Bearer:Authority")]
    [InlineData("ValidAudiences:0", "", "Authentication:Schemes:Bearer:ValidAudiences")]
    [InlineData("SigningKeys:0:Value", "c2hvcnQ=", "Authentication:Schemes:Bearer:SigningKeys:0:Value")]
    public async Task Missing_or_unsafe_settings_stop_the_host_and_name_the_key(string key, string? value, string named)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Authentication:Schemes:Bearer:Authority"] = "https://127.0.0.1:1",
            ["Authentication:Schemes:Bearer:RequireHttpsMetadata"] = "true",
            ["Authentication:Schemes:Bearer:" + key] = value,
        };

        var stopped = await Assert.ThrowsAsync<InvalidConfigurationException>(() => CallersHost.Start(settings: settings));

        Assert.Contains(stopped.Mistakes, m => m.Key == named);
    }

    [Fact]
    public async Task An_endpoint_that_does_not_say_who_may_call_it_stops_the_host_and_is_named()
    {
        await using var issuer = await TestIssuer.Start();

        var stopped = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            CallersHost.Start(issuer, map: app => app.MapGet("/forgotten", () => ""))
        );
        Assert.Contains("/forgotten", stopped.Message, StringComparison.Ordinal);

        stopped = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            CallersHost.Start(issuer, map: app => app.MapGroup("/open").AllowAnonymous().MapGet("/closed", () => "").RequireScope("api"))
        );
        Assert.Contains("/open/closed", stopped.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_method_is_405_and_an_unknown_path_404_unless_the_credential_is_refused_first()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();

        Assert.Equal("method_not_allowed", await Post(issuer.Token(), "/guarded"));
        Assert.Equal("method_not_allowed", await Post(issuer.Token(c => c["scope"] = "other"), "/guarded"));
        Assert.Equal("missing_token", await Post(null, "/guarded"));
        Assert.Equal("invalid_token", await Post("garbage", "/guarded"));
        Assert.Equal("method_not_allowed", await Post(null, "/public"));
        Assert.Equal("not_found", (await host.Get(issuer.Token(), "/nowhere")).Code);
        Assert.Equal("not_found", (await host.Get(null, "/nowhere")).Code);
        Assert.Equal("invalid_token", (await host.Get("garbage", "/nowhere")).Code);

        async Task<string?> Post(string? token, string path)
        {
            using var post = new HttpRequestMessage(HttpMethod.Post, path);
            if (token is not null)
            {
                post.Headers.Authorization = new("Bearer", token);
            }

            return (await host.Send(post)).Code;
        }
    }

    [Fact]
    public async Task A_public_endpoint_serves_a_bad_token_as_anonymous_and_a_valid_one_as_its_caller()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();

        Assert.Equal(HttpStatusCode.OK, (await host.Get("garbage", "/public")).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token(), "/public")).Status);

        Assert.Equal(["", "u-1"], host.Reached.Select(c => c.Subject));
    }

    [Fact]
    public async Task A_cached_token_is_verified_without_allocation()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();
        var token = issuer.Token();
        await host.Get(token);
        var source = host.Services.GetServices<ICallerSource>().Single();
        var context = new DefaultHttpContext();
        context.Request.Headers.Authorization = "Bearer " + token;
        var revocations = host.Services.GetRequiredService<Revocations>();
        Check();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            Check();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Check()
        {
            var resolving = source.Resolve(context);
            if (!resolving.IsCompletedSuccessfully || resolving.Result.Caller is not { } caller || revocations.Check(caller) is not null)
            {
                throw new InvalidOperationException("The token is not remembered.");
            }
        }
    }
}
