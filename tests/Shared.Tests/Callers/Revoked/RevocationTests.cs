using System.Globalization;
using System.Net;
using System.Text;
using Bff.Audit;
using Bff.Callers;
using Bff.Callers.Clients;
using Bff.Callers.Revoked;
using Bff.Configuration;
using Bff.Requests;
using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Callers.Revoked;

public sealed class RevocationTests
{
    private static readonly long NewYear = DateTimeOffset.Parse("2026-01-01T00:00:00Z", CultureInfo.InvariantCulture).ToUnixTimeSeconds();

    [RedisFact]
    public async Task A_token_revoked_through_one_instance_is_refused_by_the_other_within_a_second()
    {
        using var redis = RedisServer.Run();
        await using var issuer = await TestIssuer.Start();
        await using var one = await Instance(issuer, redis.ConnectionString);
        await using var two = await Instance(issuer, redis.ConnectionString, new ManualTimeProvider(DateTimeOffset.UtcNow));
        await SubscriptionsOf(redis, instances: 2);
        var token = issuer.Token(c => c["jti"] = "t 1:\u00e9");
        var other = issuer.Token();
        Assert.Equal(HttpStatusCode.OK, (await two.Get(token)).Status);

        Assert.Equal(HttpStatusCode.NoContent, await Revoke(one, issuer, """{"jti":"t 1:é"}"""));

        Assert.Equal("token_revoked", (await one.Get(token)).Code);
        // The clock of instance two stands still, so it learned of the revocation by the announcement and not by polling.
        await Eventually.True(async () => (await two.Get(token)).Code == "token_revoked");
        Assert.Equal(HttpStatusCode.OK, (await two.Get(other)).Status);
    }

    [RedisFact]
    public async Task A_subjects_tokens_from_before_a_moment_are_refused_and_later_ones_served()
    {
        using var redis = RedisServer.Run();
        await using var issuer = await TestIssuer.Start();
        await using var one = await Instance(issuer, redis.ConnectionString);
        await using var two = await Instance(issuer, redis.ConnectionString, new ManualTimeProvider(DateTimeOffset.UtcNow));
        await SubscriptionsOf(redis, instances: 2);
        var before = issuer.Token(c => c["iat"] = NewYear - 1);
        var at = issuer.Token(c => c["iat"] = NewYear);
        var undated = issuer.Token(c => c.Remove("iat"));
        var another = issuer.Token(c =>
        {
            c["sub"] = "u-2";
            c["iat"] = 1;
        });
        foreach (var token in (string[])[before, at, undated, another])
        {
            Assert.Equal(HttpStatusCode.OK, (await two.Get(token)).Status);
        }

        Assert.Equal(HttpStatusCode.NoContent, await Revoke(one, issuer, """{"sub":"u-1","issuedBefore":"2026-01-01T01:00:00+01:00"}"""));

        // The clock of instance two stands still, so it learned of the revocation by the announcement and not by polling.
        await Eventually.True(async () => (await two.Get(before)).Code == "token_revoked");
        Assert.Equal("token_revoked", (await two.Get(undated)).Code);
        Assert.Equal(HttpStatusCode.OK, (await two.Get(at)).Status);
        Assert.Equal(HttpStatusCode.OK, (await two.Get(another)).Status);
    }

    [RedisFact]
    public async Task Known_revocations_hold_while_Redis_is_away_and_missed_ones_arrive_when_it_is_back()
    {
        using var redis = RedisServer.Run();
        await using var issuer = await TestIssuer.Start();
        await using var one = await Instance(issuer, redis.ConnectionString);
        await using var two = await Instance(issuer, redis.ConnectionString);
        var (token, later) = (issuer.Token(c => c["jti"] = "t-1"), issuer.Token(c => c["jti"] = "t-2"));
        await Revoke(one, issuer, """{"jti":"t-1"}""");
        await Eventually.True(async () => (await two.Get(token)).Code == "token_revoked");

        redis.Stop();
        await Eventually.True(() =>
            !two.Services.GetRequiredService<RedisState>().IsAvailable && !one.Services.GetRequiredService<RedisState>().IsAvailable
        );

        Assert.Equal("token_revoked", (await two.Get(token)).Code);
        Assert.Equal(HttpStatusCode.OK, (await two.Get(later)).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Revoke(one, issuer, """{"jti":"t-2"}"""));

        redis.Start();
        await Eventually.True(async () => await Revoke(one, issuer, """{"jti":"t-2"}""") == HttpStatusCode.NoContent);
        await Eventually.True(async () => (await two.Get(later)).Code == "token_revoked", TimeSpan.FromSeconds(10));
        Assert.Equal("token_revoked", (await two.Get(token)).Code);
    }

    [RedisFact]
    public async Task An_instance_that_starts_later_knows_more_revocations_than_one_page_holds()
    {
        using var redis = RedisServer.Run();
        await using var issuer = await TestIssuer.Start();
        await using var one = await Instance(issuer, redis.ConnectionString);
        var revocations = one.Services.GetRequiredService<Revocations>();
        for (var i = 0; i < 2500; i += 100)
        {
            await Task.WhenAll(Enumerable.Range(i, 100).Select(n => revocations.RevokeToken($"t-{n}")));
        }

        await using var two = await Instance(issuer, redis.ConnectionString);

        foreach (var n in (int[])[0, 999, 1000, 1001, 1999, 2000, 2499])
        {
            Assert.Equal("token_revoked", (await two.Get(issuer.Token(c => c["jti"] = $"t-{n}"))).Code);
        }

        Assert.Equal(HttpStatusCode.OK, (await two.Get(issuer.Token(c => c["jti"] = "t-2500"))).Status);
        foreach (var key in (string[])["bff:{revocations}", "bff:{announced}:revocations"])
        {
            Assert.True(long.Parse(redis.Command("PTTL", key)[1..].TrimEnd(), CultureInfo.InvariantCulture) > 0); // The key has a lifetime.
        }
    }

    [RedisFact]
    public async Task A_revocation_whose_message_is_lost_is_still_applied_within_a_second()
    {
        using var redis = RedisServer.Run();
        using var route = new RedisRoute(redis);
        await using var issuer = await TestIssuer.Start();
        await using var one = await Instance(issuer, redis.ConnectionString);
        await using var two = await Instance(issuer, route.Address);
        await SubscriptionsOf(redis, instances: 2);
        var token = issuer.Token(c => c["jti"] = "t-1");
        Assert.Equal(HttpStatusCode.OK, (await two.Get(token)).Status);
        route.LoseMessages();

        Assert.Equal(HttpStatusCode.NoContent, await Revoke(one, issuer, """{"jti":"t-1"}"""));

        await Eventually.True(async () => (await two.Get(token)).Code == "token_revoked");
        Assert.True(route.Lost > 0);
    }

    [RedisFact]
    public async Task A_reconnected_instance_reads_the_revocations_of_a_store_that_lost_its_writes()
    {
        // The instance has seen one revocation of the old store. The new store also has one revocation, but another one.
        using var old = RedisServer.Run();
        using var route = new RedisRoute(old);
        await using var issuer = await TestIssuer.Start();
        await using var one = await Instance(issuer, old.ConnectionString);
        await using var two = await Instance(issuer, route.Address);
        var (seen, missed) = (issuer.Token(c => c["jti"] = "t-1"), issuer.Token(c => c["jti"] = "t-2"));
        Assert.Equal(HttpStatusCode.NoContent, await Revoke(one, issuer, """{"jti":"t-1"}"""));
        await Eventually.True(async () => (await two.Get(seen)).Code == "token_revoked");
        route.LeadTo(null);
        await Eventually.True(() => !two.Services.GetRequiredService<RedisState>().IsAvailable);
        using var fresh = RedisServer.Run();
        await using var three = await Instance(issuer, fresh.ConnectionString);
        Assert.Equal(HttpStatusCode.NoContent, await Revoke(three, issuer, """{"jti":"t-2"}"""));

        route.LeadTo(fresh);

        await Eventually.True(async () => (await two.Get(missed)).Code == "token_revoked");
        Assert.Equal("token_revoked", (await two.Get(seen)).Code);
    }

    [RedisFact]
    public async Task Reject_refuses_every_token_with_503_while_Redis_is_away()
    {
        using var redis = RedisServer.Run();
        await using var issuer = await TestIssuer.Start();
        await using var host = await Instance(
            issuer,
            redis.ConnectionString,
            settings: new() { ["Authentication:Revocation:OnStoreFailure"] = "Reject" }
        );
        var token = issuer.Token();
        Assert.Equal(HttpStatusCode.OK, (await host.Get(token)).Status);

        redis.Stop();
        await Eventually.True(() => !host.Services.GetRequiredService<RedisState>().IsAvailable);
        var (status, code, _) = await host.Get(token);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "store_unavailable"), (status, code));

        redis.Start();
        await Eventually.True(async () => (await host.Get(token)).Status == HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_embedded_engine_revokes_too()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();
        var token = issuer.Token(c => c["jti"] = "t-1");
        Assert.Equal(HttpStatusCode.OK, (await host.Get(token)).Status);

        Assert.Equal(HttpStatusCode.NoContent, await Revoke(host, issuer, """{"jti":"t-1"}"""));

        Assert.Equal("token_revoked", (await host.Get(token)).Code);
        var entry = Assert.Single((await host.Services.GetRequiredService<IAuditLog>().Read(new(), null, 10, default)).Entries);
        Assert.Equal(("token.revoked", "t-1"), (entry.Action, entry.Target));
        Assert.EndsWith("service", entry.Actor, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "validation_failed")]
    [InlineData("null", "malformed_request")]
    [InlineData("{\"jti\":", "malformed_request")]
    [InlineData("{\"jti\":1}", "validation_failed")]
    [InlineData("{\"jti\":\"a\",\"jti\":\"b\"}", "malformed_request")]
    [InlineData("{\"jti\":\"\"}", "validation_failed")]
    [InlineData("{\"jti\":\"a\\nb\"}", "validation_failed")]
    [InlineData("{\"jti\":\"a\",\"sub\":\"b\",\"issuedBefore\":\"2026-01-01T00:00:00Z\"}", "validation_failed")]
    [InlineData("{\"sub\":\"b\"}", "validation_failed")]
    [InlineData("{\"sub\":\"b\",\"issuedBefore\":\"yesterday\"}", "validation_failed")]
    [InlineData("{\"sub\":\"b\",\"issuedBefore\":\"2026-01-01T00:00:00\"}", "validation_failed")]
    public async Task An_invalid_revocation_is_refused(string body, string code)
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();
        using var request = Request(issuer.Token(c => c["scope"] = "tokens.revoke"), body);

        var (status, actual, _) = await host.Send(request);

        Assert.Equal((HttpStatusCode.BadRequest, code), (status, actual));
    }

    [Fact]
    public async Task A_revocation_time_may_have_nine_fractional_digits()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();

        Assert.Equal(
            HttpStatusCode.NoContent,
            await Revoke(host, issuer, """{"sub":"b","issuedBefore":"2026-01-01T00:00:00.123456789Z"}""")
        );
    }

    [Fact]
    public async Task Only_a_service_token_with_the_scope_may_revoke()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (
            await CallersHost.Start(issuer, configure: b => b.Services.AddSingleton<ICallerSource, KeyWithEveryScope>())
        ).Ready();

        using var nobody = Request(null, """{"jti":"t-1"}""");
        using var user = Request(issuer.Token(), """{"jti":"t-1"}""");
        using var key = Request(null, """{"jti":"t-1"}""");
        key.Headers.Add("X-API-Key", "any");

        Assert.Equal("missing_token", (await host.Send(nobody)).Code);
        Assert.Equal("insufficient_scope", (await host.Send(user)).Code);
        Assert.Equal("forbidden", (await host.Send(key)).Code);
    }

    private sealed class KeyWithEveryScope : ICallerSource
    {
        public string? Challenge => null;

        public ValueTask<CallerResult> Resolve(Microsoft.AspNetCore.Http.HttpContext context) =>
            new(
                context.Request.Headers.ContainsKey("X-API-Key")
                    ? CallerResult.Ok(
                        new Caller
                        {
                            Subject = "key-1",
                            Kind = CallerKind.ApiKey,
                            Scopes = System.Collections.Frozen.FrozenSet.Create("tokens.revoke"),
                        }
                    )
                    : CallerResult.None
            );
    }

    /// <summary>Starts a ready host. Only its revocations use the clock, if one is given.</summary>
    private static async Task<CallersHost> Instance(
        TestIssuer issuer,
        string redis,
        TimeProvider? clock = null,
        Dictionary<string, string?>? settings = null
    ) =>
        await (
            await CallersHost.Start(
                issuer,
                new(settings ?? []) { ["ConnectionStrings:redis"] = redis },
                b =>
                    b.Services.AddSingleton(p => new Revocations(
                        p.GetRequiredService<IRevocationStore>(),
                        p.GetRequiredService<Reloadable<RevocationSettings>>(),
                        clock ?? TimeProvider.System,
                        p.GetRequiredService<ILogger<Revocations>>()
                    ))
            )
        ).Ready();

    /// <summary>Waits until the given number of instances are subscribed to revocations.</summary>
    private static async Task SubscriptionsOf(RedisServer redis, int instances) =>
        await Eventually.True(() =>
            redis.Command("PUBSUB", "NUMSUB", "bff:revocations").EndsWith($":{instances}\r\n", StringComparison.Ordinal)
        );

    private static async Task<HttpStatusCode> Revoke(CallersHost host, TestIssuer issuer, string body)
    {
        using var request = Request(
            issuer.Token(c =>
            {
                c["sub"] = "service";
                c["scope"] = "tokens.revoke";
            }),
            body
        );
        return (await host.Send(request)).Status;
    }

    private static HttpRequestMessage Request(string? token, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/internal/revocations")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        }

        return request;
    }
}
