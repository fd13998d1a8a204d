using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Bff.Callers.ApiKeys;
using Bff.Shared.Tests.Callers;
using Bff.Shared.Tests.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>
/// Tests that a client that tries credentials is refused, and that this affects no other client with the same address or the same key
/// prefix.
/// </summary>
public sealed class FailedCredentialsTests
{
    private const int Burst = 5;
    private const string TooMany = "too_many_failed_credentials";

    private static readonly Dictionary<string, string?> Limits = new()
    {
        ["FailedCredentials:PerMinute"] = "60",
        ["FailedCredentials:Burst"] = $"{Burst}",
        ["ForwardedHeaders:KnownProxies:0"] = "127.0.0.1",
    };

    [Fact]
    public async Task An_unknown_token_beyond_the_limit_is_refused_unverified_and_a_known_one_is_accepted()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, clock);
        issuer.Opaque["known"] = Active(clock);
        issuer.Opaque["new"] = Active(clock);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("known")).Status);

        for (var i = 0; i < Burst; i++)
        {
            Assert.Equal("invalid_token", (await host.Get($"forged-{i}")).Code);
        }

        for (var i = Burst; i < 50; i++)
        {
            var refused = await host.Get($"forged-{i}");
            Assert.Equal((HttpStatusCode.TooManyRequests, TooMany), (refused.Status, refused.Code));
            Assert.Equal(TimeSpan.FromSeconds(1), refused.Response.Headers.RetryAfter?.Delta);
        }

        Assert.Equal(1 + Burst, issuer.Introspections);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("known")).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("forged-50", "/public")).Status);
        Assert.Equal("missing_token", (await host.Get(null)).Code);
        Assert.Equal(TooMany, (await host.Get("new")).Code);

        clock.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal(HttpStatusCode.OK, (await host.Get("new")).Status);
        clock.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal("invalid_token", (await host.Get("forged-51")).Code);
        // Two tokens have been refilled, because a valid credential takes none.
        Assert.Equal("invalid_token", (await host.Get("forged-52")).Code);
        Assert.Equal(TooMany, (await host.Get("forged-53")).Code);
        clock.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal("invalid_token", (await host.Get("forged-54")).Code);
        Assert.Equal(TooMany, (await host.Get("forged-55")).Code);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("invalid_token", (await host.Get("forged-56")).Code);
        Assert.Equal("invalid_token", (await host.Get("forged-57")).Code);
    }

    [Fact]
    public async Task A_known_key_is_accepted_in_either_header_while_forged_keys_with_its_prefix_are_refused()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, clock);
        var registry = host.Services.GetRequiredService<ApiKeyRegistry>();
        var (key, other) = ((await NewKey(registry)).Key, (await NewKey(registry)).Key);
        Assert.Equal(HttpStatusCode.OK, (await Send(host, "198.51.100.1", ("X-API-Key", key))).Status);

        for (var i = 0; i < Burst; i++)
        {
            Assert.Equal("invalid_api_key", (await Send(host, "198.51.100.1", ("X-API-Key", Forged(key, i)))).Code);
        }

        Assert.Equal(TooMany, (await Send(host, "198.51.100.1", ("X-API-Key", Forged(key, Burst)))).Code);
        Assert.Equal(TooMany, (await Send(host, "198.51.100.1", ("Authorization", "Bearer " + other))).Code);
        Assert.Equal(HttpStatusCode.OK, (await Send(host, "198.51.100.1", ("X-API-Key", key))).Status);
        Assert.Equal(HttpStatusCode.OK, (await Send(host, "198.51.100.1", ("Authorization", "Bearer " + key))).Status);
        Assert.Equal(HttpStatusCode.OK, (await Send(host, "198.51.100.2", ("X-API-Key", other))).Status);
    }

    [Theory]
    [InlineData("203.0.113.9", "203.0.113.9", true)]
    [InlineData("203.0.113.9", "203.0.113.10", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    public async Task Failures_behind_a_trusted_proxy_count_by_client_address_or_IPv6_network(string attacker, string other, bool isOne)
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, new ManualTimeProvider(DateTimeOffset.UtcNow));
        for (var i = 0; i <= Burst; i++)
        {
            await Send(host, attacker, ("Authorization", $"Bearer forged-{i}"));
        }

        Assert.Equal(TooMany, (await Send(host, attacker, ("Authorization", "Bearer forged"))).Code);
        Assert.Equal(isOne ? TooMany : "invalid_token", (await Send(host, other, ("Authorization", "Bearer forged-too"))).Code);
    }

    [Fact]
    public async Task Expired_credentials_are_measured_and_take_no_tokens()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, clock);
        var reasons = new ConcurrentQueue<object?>();
        using var meter = host.Services.Listen("bff.callers.failures");
        meter.SetMeasurementEventCallback<long>((_, count, tags, _) => reasons.Enqueue(tags[0].Value));
        meter.Start();

        for (var i = 0; i < 3 * Burst; i++)
        {
            var claims = issuer.Claims(clock.GetUtcNow().AddHours(-1));
            Assert.Equal("token_expired", (await host.Get(issuer.Key.Sign(claims))).Code);
        }

        Assert.Equal("invalid_token", (await host.Get("forged")).Code);
        Assert.Equal(3 * Burst, reasons.Count(r => r is "token_expired"));
        Assert.Single(reasons, r => r is "invalid_token");
    }

    [RedisFact]
    public async Task Failures_count_across_instances_and_each_instance_counts_alone_while_Redis_is_down()
    {
        using var redis = RedisServer.Run();
        await using var issuer = await TestIssuer.Start();
        var settings = new Dictionary<string, string?>(Limits)
        {
            ["ConnectionStrings:redis"] = redis.ConnectionString,
            ["FailedCredentials:PerMinute"] = "1",
            ["FailedCredentials:Burst"] = "20",
        };
        await using var one = await Host(issuer, TimeProvider.System, settings);
        await using var two = await Host(issuer, TimeProvider.System, settings);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("invalid_token", (await one.Get($"forged-{i}")).Code);
        }

        // Instance two learns of the count with its own next failures.
        var looked = 0;
        await RedisStateTests.Until(async () => (await two.Get($"other-{looked++}")).Code == TooMany);
        Assert.InRange(looked, 2, 19);

        redis.Stop();
        Assert.Equal(TooMany, (await one.Get("forged")).Code);
        Assert.Equal(TooMany, (await two.Get("forged")).Code);
        for (var i = 0; i < 20; i++)
        {
            await Send(one, "203.0.113.77", ("Authorization", $"Bearer away-{i}"));
        }

        Assert.Equal(TooMany, (await Send(one, "203.0.113.77", ("Authorization", "Bearer away"))).Code);
    }

    private static async Task<CallersHost> Host(TestIssuer issuer, TimeProvider clock, Dictionary<string, string?>? settings = null) =>
        await (
            await CallersHost.Start(
                issuer,
                new Dictionary<string, string?>(settings ?? Limits)
                {
                    ["Authentication:Introspection:Endpoint"] = issuer.Address + "/introspect",
                    ["Authentication:Introspection:ClientId"] = "gateway",
                    ["Authentication:Introspection:ClientSecret"] = "s3cret",
                    ["Authentication:Introspection:Timeout"] = "00:00:30",
                },
                b => b.Services.AddSingleton(clock),
                first: b => b.AddApiKeys(["api"])
            )
        ).Ready();

    private static async Task<NewApiKey> NewKey(ApiKeyRegistry registry) =>
        (await registry.Create("acme", "one", ["api"], isTest: false, null, default))!;

    private static JsonObject Active(TimeProvider clock) =>
        new()
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["aud"] = "bff",
            ["scope"] = "api",
            ["exp"] = clock.GetUtcNow().ToUnixTimeSeconds() + 600,
        };

    /// <summary>Returns a forged key with the same prefix as the given key.</summary>
    private static string Forged(string key, int number) =>
        key[..12] + number.ToString("D4", System.Globalization.CultureInfo.InvariantCulture) + key[16..];

    private static async Task<(HttpStatusCode Status, string? Code, HttpResponseMessage Response)> Send(
        CallersHost host,
        string address,
        (string Name, string Value) credential
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/guarded");
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", address);
        request.Headers.TryAddWithoutValidation(credential.Name, credential.Value);
        return await host.Send(request);
    }
}
