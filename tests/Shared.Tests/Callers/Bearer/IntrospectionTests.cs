using System.Net;
using System.Text.Json.Nodes;
using Bff.Callers.Bearer;
using Bff.Callers.Clients;
using Bff.Configuration;
using Bff.Requests;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Callers.Bearer;

public sealed class IntrospectionTests
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task An_opaque_token_is_introspected_once_for_concurrent_requests_and_cached_for_a_minute()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, clock);
        issuer.Opaque["opaque-1"] = Active(clock, life: 600);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => host.Get("opaque-1")));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.Status));
        Assert.Equal(1, issuer.Introspections);
        Assert.All(host.Reached, c => Assert.Equal("u-7", c.Subject));
        issuer.Opaque.Clear();
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(HttpStatusCode.OK, (await host.Get("opaque-1")).Status);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("invalid_token", (await host.Get("opaque-1")).Code);
    }

    [Fact]
    public async Task A_request_that_missed_the_cache_before_an_answer_was_cached_does_not_introspect_again()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, TimeProvider.System);
        issuer.Opaque["opaque-1"] = Active(TimeProvider.System, life: 600);
        var introspector = host.Services.GetRequiredService<Introspector>();
        var memory = new TokenMemory<VerifiedToken>(maxBytes: 1 << 20);

        var first = await introspector.Introspect("opaque-1", memory, default);
        var second = await introspector.Introspect("opaque-1", memory, default);

        Assert.NotNull(first.Verified);
        Assert.Same(first.Verified, second.Verified);
        Assert.Equal(1, issuer.Introspections);
    }

    [Fact]
    public async Task An_introspection_answer_is_not_cached_beyond_the_tokens_lifetime()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, clock);
        issuer.Opaque["opaque-1"] = Active(clock, life: 10);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("opaque-1")).Status);

        clock.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal("token_expired", (await host.Get("opaque-1")).Code);
    }

    [Theory]
    [InlineData(IssuerFault.Reset)]
    [InlineData(IssuerFault.Error)]
    [InlineData(IssuerFault.Hang)]
    [InlineData(IssuerFault.NotJson)]
    [InlineData(IssuerFault.SaysTwice)]
    [InlineData(IssuerFault.NotAKeySet)]
    public async Task A_failed_introspection_is_503_and_is_not_cached(IssuerFault fault)
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, clock);
        issuer.Opaque["opaque-1"] = Active(clock, life: 600);
        issuer.IntrospectionFault = fault;

        var asked = host.Get("opaque-1");
        if (fault == IssuerFault.Hang)
        {
            await Eventually.True(() => issuer.Introspections == 1);
            clock.Advance(WaitLimit);
        }

        var (status, code, response) = await asked;

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "upstream_unavailable"), (status, code));
        Assert.Empty(response.Headers.WwwAuthenticate);
        Assert.NotNull(response.Headers.RetryAfter);
        issuer.IntrospectionFault = IssuerFault.None;
        Assert.Equal(HttpStatusCode.OK, (await host.Get("opaque-1")).Status);
    }

    [Fact]
    public async Task An_inactive_token_is_cached_for_ten_seconds()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, clock);

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("invalid_token", (await host.Get("dead")).Code);
            clock.Advance(TimeSpan.FromSeconds(1.9));
        }

        Assert.Equal(1, issuer.Introspections);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("invalid_token", (await host.Get("dead")).Code);
        Assert.Equal(2, issuer.Introspections);
    }

    [Fact]
    public async Task A_token_that_the_authority_does_not_confirm_is_refused_and_introspected_again()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(
            issuer,
            TimeProvider.System,
            new() { ["Authentication:Introspection:NegativeCache"] = "00:00:00" }
        );

        Assert.Equal("invalid_token", (await host.Get("opaque-1")).Code);
        issuer.Opaque["opaque-1"] = Active(TimeProvider.System, life: 600);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("opaque-1")).Status);

        issuer.Opaque["text"] = new JsonObject
        {
            ["active"] = "true",
            ["sub"] = "u-7",
            ["scope"] = "api",
        };
        issuer.Opaque["nobody"] = new JsonObject
        {
            ["active"] = true,
            ["scope"] = "api",
            ["aud"] = "bff",
        };
        issuer.Opaque["control"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u\n7",
            ["scope"] = "api",
            ["aud"] = "bff",
        };
        issuer.Opaque["no-audience"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
        };
        issuer.Opaque["null-audience"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
            ["aud"] = null,
        };
        issuer.Opaque["no-audiences"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
            ["aud"] = new JsonArray(),
        };
        issuer.Opaque["other-audience"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
            ["aud"] = "other",
        };
        issuer.Opaque["other-issuer"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
            ["aud"] = "bff",
            ["iss"] = "https://elsewhere.example",
        };
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await host.Get("text")).Status);
        foreach (
            var token in (string[])["nobody", "control", "no-audience", "null-audience", "no-audiences", "other-audience", "other-issuer"]
        )
        {
            Assert.Equal("invalid_token", (await host.Get(token)).Code);
        }

        Assert.Single(host.Reached);
    }

    [Theory, InlineData(20, HttpStatusCode.OK), InlineData(60, HttpStatusCode.Unauthorized)]
    public async Task An_active_token_may_begin_up_to_thirty_seconds_later_by_the_clock_of_this_gateway(
        int seconds,
        HttpStatusCode expected
    )
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, clock);
        var token = Active(clock, life: 600);
        token["nbf"] = clock.GetUtcNow().ToUnixTimeSeconds() + seconds;
        issuer.Opaque["opaque-1"] = token;

        Assert.Equal(expected, (await host.Get("opaque-1")).Status);
    }

    [Fact]
    public async Task A_token_without_an_audience_is_accepted_from_a_configured_client()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(
            issuer,
            TimeProvider.System,
            new() { ["Authentication:Introspection:AllowedClients:0"] = "till" }
        );
        issuer.Opaque["till"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
            ["client_id"] = "till",
        };
        issuer.Opaque["till-for-us"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
            ["client_id"] = "till",
            ["aud"] = "bff",
        };
        issuer.Opaque["till-for-others"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
            ["client_id"] = "till",
            ["aud"] = "other",
        };
        issuer.Opaque["other"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
            ["client_id"] = "other",
        };
        issuer.Opaque["other-for-us"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
            ["client_id"] = "other",
            ["aud"] = "bff",
        };
        issuer.Opaque["nobodys"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
        };

        foreach (var token in (string[])["till", "till-for-us"])
        {
            Assert.Equal(HttpStatusCode.OK, (await host.Get(token)).Status);
        }

        foreach (var token in (string[])["till-for-others", "other", "other-for-us", "nobodys"])
        {
            Assert.Equal("invalid_token", (await host.Get(token)).Code);
        }
    }

    [Fact]
    public async Task A_host_without_audiences_and_clients_does_not_start()
    {
        await using var issuer = await TestIssuer.Start();
        var settings = new Dictionary<string, string?>
        {
            ["Authentication:Schemes:Bearer:Authority"] = null,
            ["Authentication:Schemes:Bearer:ValidAudiences:0"] = null,
        };

        var refused = await Assert.ThrowsAsync<InvalidConfigurationException>(() => Host(issuer, TimeProvider.System, settings));

        Assert.Equal("Authentication:Schemes:Bearer:ValidAudiences", Assert.Single(refused.Mistakes).Key);
        settings["Authentication:Introspection:AllowedClients:0"] = "till";
        await (await Host(issuer, TimeProvider.System, settings)).DisposeAsync();
    }

    [Fact]
    public async Task A_JWT_is_never_sent_to_the_introspection_endpoint()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, TimeProvider.System);

        Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token())).Status);
        Assert.Equal("invalid_token", (await host.Get(issuer.Token(c => c["aud"] = "other"))).Code);

        Assert.Equal(0, issuer.Introspections);
    }

    private static async Task<CallersHost> Host(TestIssuer issuer, TimeProvider clock, Dictionary<string, string?>? settings = null) =>
        await (
            await CallersHost.Start(
                issuer,
                new Dictionary<string, string?>
                {
                    ["Authentication:Introspection:Endpoint"] = issuer.Address + "/introspect",
                    ["Authentication:Introspection:ClientId"] = "gateway",
                    ["Authentication:Introspection:ClientSecret"] = "s3cret",
                    ["Authentication:Introspection:Timeout"] = "00:00:30",
                }.With(settings),
                b => b.Services.AddSingleton(clock)
            )
        ).Ready();

    private static JsonObject Active(TimeProvider clock, int life) =>
        new()
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["aud"] = new JsonArray("other", "bff"),
            ["scope"] = "api",
            ["exp"] = clock.GetUtcNow().ToUnixTimeSeconds() + life,
        };
}
