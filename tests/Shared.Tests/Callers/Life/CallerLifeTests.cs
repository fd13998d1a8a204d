using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Bff.Callers.ApiKeys;
using Bff.Callers.Clients;
using Bff.Callers.Life;
using Bff.Events;
using Bff.Requests;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Callers.Life;

/// <summary>Tests that no long answer outlives the credential that opened it.</summary>
public sealed class CallerLifeTests
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    /// <summary>The kinds of long answers through a route, and the gateway's own event stream.</summary>
    public static TheoryData<string> All => [.. LongAnswers.Kinds, "/own"];

    public static TheoryData<string, string> OnBothEngines
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (var kind in LongAnswers.Kinds.Append("/own"))
            {
                all.Add(kind, "embedded");
                if (RedisServer.IsInstalled)
                {
                    all.Add(kind, "redis");
                }
            }

            return all;
        }
    }

    [Theory, MemberData(nameof(All))]
    public async Task A_long_answer_ends_when_its_token_expires(string kind)
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var bench = await Bench.Start(clock: clock);
        using var answer = await bench.Open(
            kind,
            bench.Bearer(claims => claims["exp"] = clock.GetUtcNow().AddSeconds(60).ToUnixTimeSeconds())
        );

        clock.Advance(TimeSpan.FromSeconds(55));
        await bench.Send("before");
        await answer.Until("before");
        Assert.False(answer.Ended.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(6));
        await SweptAway(answer, clock);

        // Only the event stream ends in order. A cut body must not pass for a complete one.
        Assert.Equal(kind == "/own", await answer.Ended);
        await bench.NoneOpen();
    }

    [Theory, MemberData(nameof(OnBothEngines))]
    public async Task A_long_answer_ends_when_its_token_or_its_subjects_tokens_are_revoked_and_others_continue(string kind, string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        await using var bench = await Bench.Start(redis?.ConnectionString);
        await using var elsewhere = redis is null ? null : await Bench.Start(redis.ConnectionString, bench);
        using var one = await bench.Open(kind, bench.Bearer(c => c["jti"] = "t-1"));
        using var two = await bench.Open(
            kind,
            bench.Bearer(c =>
            {
                c["jti"] = "t-2";
                c["sub"] = "u-2";
            })
        );
        using var three = await bench.Open(kind, bench.Bearer(c => c["jti"] = "t-3"));

        await (elsewhere ?? bench).Revoke("""{"jti":"t-1"}""");
        await one.Ended.WaitAsync(WaitLimit);
        await (elsewhere ?? bench).Revoke("""{"sub":"u-2","issuedBefore":"2999-01-01T00:00:00Z"}""");
        await two.Ended.WaitAsync(WaitLimit);

        await bench.Send("after");
        await three.Until("after");
        Assert.DoesNotContain("after", one.Text + two.Text, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(OnBothEngines))]
    public async Task A_long_answer_ends_when_its_key_is_deleted_or_expires_after_a_rotation(string kind, string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        await using var bench = await Bench.Start(redis?.ConnectionString);
        await using var elsewhere = redis is null ? null : await Bench.Start(redis.ConnectionString, bench);
        var keys = (elsewhere ?? bench).Keys;
        var (deleted, rotated, kept) = (await New(keys), await New(keys), await New(keys));
        using var one = await bench.Open(kind, ("X-API-Key", deleted.Key));
        using var two = await bench.Open(kind, ("X-API-Key", rotated.Key));
        using var three = await bench.Open(kind, ("X-API-Key", kept.Key));

        await keys.Delete(deleted.Record, default);
        await one.Ended.WaitAsync(WaitLimit);
        await keys.Rotate(kept.Record, TimeSpan.FromHours(1), default);
        await keys.Rotate(rotated.Record, TimeSpan.FromSeconds(1), default);
        await two.Ended.WaitAsync(WaitLimit);

        await bench.Send("after");
        if (kind != "/own") // An API key belongs to no user, so no event is addressed to it.
        {
            await three.Until("after");
        }

        Assert.False(three.Ended.IsCompleted);
        Assert.DoesNotContain("after", one.Text + two.Text, StringComparison.Ordinal);
    }

    [RedisFact]
    public async Task A_long_answer_ends_after_a_revocation_even_when_every_message_is_lost()
    {
        using var redis = RedisServer.Run();
        using var route = new RedisRoute(redis);
        await using var bench = await Bench.Start(route.Address);
        await using var elsewhere = await Bench.Start(redis.ConnectionString, bench);
        var key = await New(elsewhere.Keys);
        using var ofToken = await bench.Open("sse", bench.Bearer(c => c["jti"] = "t-1"));
        using var ofKey = await bench.Open("sse", ("X-API-Key", key.Key));
        route.LoseMessages();

        await elsewhere.Revoke("""{"jti":"t-1"}""");
        await elsewhere.Keys.Delete(key.Record, default);

        await Task.WhenAll(ofToken.Ended, ofKey.Ended).WaitAsync(WaitLimit);
        Assert.Equal(HttpStatusCode.Unauthorized, await bench.Status(("X-API-Key", key.Key)));
        Assert.True(route.Lost > 0);
    }

    [Fact]
    public async Task A_long_answer_ends_with_its_introspected_token_or_when_its_configured_key_is_removed()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var key = ApiKeyFormat.New(isTest: false);
        await using var bench = await Bench.Start(clock: clock, settings: new() { ["ApiKeys:Bootstrap:acme"] = key });
        bench.Issuer.Opaque["opaque-1"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
            ["aud"] = "bff",
            ["exp"] = clock.GetUtcNow().AddSeconds(30).ToUnixTimeSeconds(),
        };
        using var ofToken = await bench.Open("sse", ("Authorization", "Bearer opaque-1"));
        using var ofKey = await bench.Open("sse", ("X-API-Key", key));

        clock.Advance(TimeSpan.FromSeconds(31));
        await ofToken.Ended.WaitAsync(WaitLimit);
        Assert.False(ofKey.Ended.IsCompleted);
        bench.Configure("ApiKeys:Bootstrap:acme", ApiKeyFormat.New(isTest: false));
        await ofKey.Ended.WaitAsync(WaitLimit);
    }

    [Theory, MemberData(nameof(All))]
    public async Task A_long_answer_ends_when_the_key_that_signed_its_token_is_withdrawn(string kind)
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var bench = await Bench.Start(clock: clock);
        using var answer = await bench.Open(kind, bench.Bearer(_ => { }));

        bench.Issuer.Rotate("second", withdrawOld: true);

        await SweptAway(answer, clock);
    }

    [Fact]
    public async Task A_long_answer_ends_when_introspection_calls_its_token_inactive()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var bench = await Bench.Start(clock: clock);
        bench.Issuer.Opaque["opaque-1"] = new JsonObject
        {
            ["active"] = true,
            ["sub"] = "u-7",
            ["scope"] = "api",
            ["aud"] = "bff",
        };
        using var answer = await bench.Open("sse", ("Authorization", "Bearer opaque-1"));

        Assert.True(bench.Issuer.Opaque.TryRemove("opaque-1", out _));

        await SweptAway(answer, clock);
    }

    [Fact]
    public async Task An_ordinary_answer_that_is_being_written_at_the_expiry_arrives_whole()
    {
        // The clock starts at a full second, so a check falls exactly on the expiry.
        var clock = new ManualTimeProvider(DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds()));
        await using var bench = await Bench.Start(clock: clock);
        var credential = bench.Bearer(claims => claims["exp"] = clock.GetUtcNow().AddSeconds(60).ToUnixTimeSeconds());
        using var ordinary = await bench.Open("ndjson", credential);
        using var stream = await bench.Open("sse", credential);

        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.False(await stream.Ended.WaitAsync(WaitLimit)); // The stream was cut, so the check has looked at both answers.
        await bench.Send(LongAnswers.Last);

        Assert.True(await ordinary.Ended.WaitAsync(WaitLimit));
    }

    [Fact]
    public async Task A_request_without_an_answer_is_cut_off_shortly_after_its_token_expires()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var bench = await Bench.Start(clock: clock);
        var waiting = bench.Status(
            bench.Bearer(claims => claims["exp"] = clock.GetUtcNow().AddSeconds(2).ToUnixTimeSeconds()),
            "/long/silent"
        );
        await Eventually.True(() => bench.Service.Open == 1);

        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.False(waiting.IsCompleted); // The request was admitted in time, so it is answered if the answer comes soon.
        clock.Advance(TimeSpan.FromSeconds(2));

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => waiting.WaitAsync(WaitLimit));
    }

    /// <summary>Moves the clock from look to look until one has ended the answer.</summary>
    private static Task<TimeSpan> SweptAway(LongAnswers.Reader answer, ManualTimeProvider clock) =>
        Eventually.True(() =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(250));
            return answer.Ended.IsCompleted;
        });

    private static async Task<NewApiKey> New(ApiKeyRegistry keys) =>
        (await keys.Create("acme", "n", ["api"], isTest: false, null, default))!;

    /// <summary>A gateway with bearer tokens, API keys and a route to <see cref="LongAnswers"/>.</summary>
    private sealed class Bench : IAsyncDisposable
    {
        private readonly bool _isFirst;
        private readonly CallersHost _host;

        private Bench(CallersHost host, TestIssuer issuer, LongAnswers service, bool isFirst) =>
            (_host, Issuer, Service, _isFirst) = (host, issuer, service, isFirst);

        public TestIssuer Issuer { get; }

        public LongAnswers Service { get; }

        public ApiKeyRegistry Keys => _host.Services.GetRequiredService<ApiKeyRegistry>();

        private IEnumerable<Uri> Addresses =>
            _host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a));

        public static async Task<Bench> Start(
            string? redis = null,
            Bench? beside = null,
            TimeProvider? clock = null,
            Dictionary<string, string?>? settings = null
        )
        {
            var issuer = beside?.Issuer ?? await TestIssuer.Start();
            var service = beside?.Service ?? await LongAnswers.Start();
            var all = service.Settings.With(settings);
            all["ConnectionStrings:redis"] = redis;
            all["Authentication:Introspection:Endpoint"] = issuer.Address + "/introspect";
            all["Authentication:Introspection:ClientId"] = "gateway";
            all["Authentication:Introspection:ClientSecret"] = "s3cret";
            var host = await CallersHost.Start(
                issuer,
                all,
                builder =>
                {
                    builder.AddApiKeys("api");
                    if (clock is not null)
                    {
                        builder.Services.AddSingleton(clock);
                    }
                },
                app => app.MapGet("/own", () => new ServerSentEvents()).RequireScope("api")
            );
            return new(await host.Ready(), issuer, service, beside is null);
        }

        public (string Name, string Value) Bearer(Action<JsonObject> change) => ("Authorization", "Bearer " + Issuer.Token(change));

        public Task<LongAnswers.Reader> Open(string kind, (string Name, string Value) credential) =>
            LongAnswers.Read(kind, Addresses, credential);

        public async Task Send(string text)
        {
            Service.Send(text);
            var data = Encoding.UTF8.GetBytes($"\"{text}\"");
            var head = new EventHead
            {
                Source = "/tests",
                SourceId = Guid.NewGuid().ToString("N"),
                Type = "test",
                User = "u-1",
            };
            await _host.Services.GetRequiredService<IEventLog>().Append([new NewEvent(head, data)], default);
        }

        public async Task Revoke(string body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/internal/revocations")
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            };
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Bearer",
                Issuer.Token(c =>
                {
                    c["sub"] = "service";
                    c["scope"] = "tokens.revoke";
                })
            );
            Assert.Equal(HttpStatusCode.NoContent, (await _host.Send(request)).Status);
        }

        public async Task<HttpStatusCode> Status((string Name, string Value) credential, string path = "/guarded")
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation(credential.Name, credential.Value);
            return (await _host.Send(request)).Status;
        }

        public void Configure(string key, string value) => _host.Configure(key, value);

        /// <summary>Waits until the service has no open answer and the gateway watches none.</summary>
        public async Task NoneOpen() =>
            await Eventually.True(() => Service.Open == 0 && _host.Services.GetRequiredService<CallerLives>().Count == 0);

        public async ValueTask DisposeAsync()
        {
            await _host.DisposeAsync();
            if (_isFirst)
            {
                await Service.DisposeAsync();
                await Issuer.DisposeAsync();
            }
        }
    }
}
