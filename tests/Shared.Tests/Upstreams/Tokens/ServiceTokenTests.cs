using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.Callers.Clients;
using Bff.Dev.Upstreams.Faults;
using Bff.Requests;
using Bff.TestKit;
using Bff.Upstreams;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams.Tokens;

/// <summary>
/// Tokens that the gateway requests: what a service gets, how often the token endpoint is called, and which calls its failures affect.
/// </summary>
public sealed class ServiceTokenTests
{
    private const string Token = "tok-1.abc";

    [Fact]
    public async Task The_gateway_s_own_token_is_asked_for_once_however_many_calls_wait()
    {
        await using var issuer = await TestIssuer.Start();
        var mayLeave = new TaskCompletionSource();
        issuer.TokensMayLeave = mayLeave.Task;
        await using var bench = await Bench(
            issuer,
            null,
            ("Upstreams:users:Token:Mode", "Client"),
            ("Upstreams:users:Token:Scope", "users.read"),
            ("Upstreams:users:MaxConcurrency", "1000")
        );

        var calls = Enumerable.Range(0, 200).Select(i => AskAs(bench, i)).ToList();
        await Eventually.True(() => !issuer.TokenRequests.IsEmpty);
        mayLeave.SetResult();

        Assert.All(await Task.WhenAll(calls), a => Assert.True(a.IsOk));
        var asked = Assert.Single(issuer.TokenRequests);
        Assert.Equal(("client_credentials", "users.read"), (asked["grant_type"], asked["scope"]));
        Assert.Equal("Basic " + Convert.ToBase64String("gateway:s3cret%2Fwith%2Bmore"u8), asked["authorization"]);
        Assert.All(bench.Services.Users.Calls.All, c => Assert.Equal("Bearer granted-1", c.Header("Authorization")));
    }

    [Fact]
    public async Task Each_caller_s_token_is_exchanged_once_and_the_service_gets_that_caller_s()
    {
        await using var issuer = await TestIssuer.Start();
        issuer.AnswerToken = asked => (200, Granted("for-" + asked["subject_token"]));
        await using var bench = await Bench(
            issuer,
            null,
            ("Upstreams:users:Token:Mode", "Exchange"),
            ("Upstreams:users:Token:Audience", "users")
        );

        foreach (var token in (string[])["one", "two", "one"])
        {
            Assert.True((await bench.Client("users").Get("users/u-1001", Any, Call(bench, token))).IsOk);
        }

        Assert.Equal(2, issuer.TokenRequests.Count);
        Assert.All(
            issuer.TokenRequests,
            r =>
                Assert.Equal(
                    ("urn:ietf:params:oauth:grant-type:token-exchange", "users", "urn:ietf:params:oauth:token-type:access_token"),
                    (r["grant_type"], r["audience"], r["subject_token_type"])
                )
        );
        Assert.Equal(
            ["Bearer for-one", "Bearer for-two", "Bearer for-one"],
            bench.Services.Users.Calls.All.Select(c => c.Header("Authorization"))
        );
    }

    [Fact]
    public async Task On_behalf_of_is_requested_in_the_form_that_entra_expects()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(
            issuer,
            null,
            ("Upstreams:users:Token:Mode", "OnBehalfOf"),
            ("Upstreams:users:Token:Scope", "api://users/.default"),
            ("Clients:default:ClientAuthentication", "Post")
        );

        Assert.True((await bench.Client("users").Get("users/u-1001", Any, Call(bench))).IsOk);

        var asked = Assert.Single(issuer.TokenRequests);
        Assert.Equal(
            ("urn:ietf:params:oauth:grant-type:jwt-bearer", Token, "on_behalf_of", "api://users/.default"),
            (asked["grant_type"], asked["assertion"], asked["requested_token_use"], asked["scope"])
        );
        Assert.Equal(("gateway", "s3cret/with+more", ""), (asked["client_id"], asked["client_secret"], asked["authorization"]));
    }

    [Fact]
    public async Task A_token_is_renewed_before_it_expires_while_the_old_one_is_still_used()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(issuer, clock, ("Upstreams:users:Token:Mode", "Client"));
        Assert.Equal("Bearer granted-1", await Sent(bench));

        clock.Advance(TimeSpan.FromSeconds(530));
        Assert.Equal("Bearer granted-1", await Sent(bench));
        Assert.Single(issuer.TokenRequests);

        clock.Advance(TimeSpan.FromSeconds(20));
        var mayLeave = new TaskCompletionSource();
        issuer.TokensMayLeave = mayLeave.Task;
        Assert.Equal("Bearer granted-1", await Sent(bench));
        await Eventually.True(() => issuer.TokenRequests.Count == 2);
        Assert.Equal("Bearer granted-1", await Sent(bench));
        mayLeave.SetResult();
        await Eventually.True(async () => await Sent(bench) == "Bearer granted-2");
        Assert.Equal(2, issuer.TokenRequests.Count);
    }

    [Fact]
    public async Task A_failing_token_endpoint_affects_no_call_while_a_token_is_valid()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(issuer, clock, ("Upstreams:users:Token:Mode", "Client"));
        await Sent(bench);
        issuer.TokenFault = IssuerFault.Error;

        clock.Advance(TimeSpan.FromSeconds(560));
        Assert.Equal("Bearer granted-1", await Sent(bench));
        await Eventually.True(() => issuer.TokenRequests.Count == 2);
        Assert.Equal("Bearer granted-1", await Sent(bench));

        clock.Advance(TimeSpan.FromSeconds(35));
        Assert.Equal(
            UpstreamOutcome.Unavailable,
            (await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001")))).Outcome
        );
    }

    [Theory]
    [InlineData("none", 60, 1)]
    [InlineData("30", 10, 1)]
    [InlineData("30", 29, 2)]
    [InlineData("\"30\"", 29, 2)]
    [InlineData("0", 0, 2)]
    [InlineData("-5", 0, 2)]
    public async Task How_long_a_token_is_kept_is_what_the_server_says(string expiresIn, int after, int requests)
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        issuer.AnswerToken = _ =>
        {
            var answer = Granted("t" + issuer.TokenRequests.Count);
            answer.Remove("expires_in");
            if (expiresIn != "none")
            {
                answer["expires_in"] = JsonNode.Parse(expiresIn);
            }

            return (200, answer);
        };
        await using var bench = await Bench(issuer, clock, ("Upstreams:users:Token:Mode", "Client"));

        Assert.Equal("Bearer t1", await Sent(bench));
        clock.Advance(TimeSpan.FromSeconds(after));
        Assert.Equal("Bearer t" + requests, await Sent(bench));
        Assert.Equal(requests, issuer.TokenRequests.Count);
    }

    [Fact]
    public async Task A_refused_token_is_dropped_and_a_read_is_sent_once_more_with_a_new_one()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(issuer, null, ("Upstreams:users:Token:Mode", "Client"));
        await Sent(bench);
        bench.Services.Users.Faults.Set(
            new Fault
            {
                Mode = FaultMode.Status,
                Status = 401,
                Count = 1,
            }
        );

        Assert.True((await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001")))).IsOk);

        Assert.Equal(
            ["Bearer granted-1", "Bearer granted-1", "Bearer granted-2"],
            bench.Services.Users.Calls.All.Select(c => c.Header("Authorization"))
        );
    }

    [Fact]
    public async Task A_write_is_not_sent_again_but_the_next_one_has_a_new_token()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(issuer, null, ("Upstreams:users:Token:Mode", "Client"));
        bench.Services.Users.Faults.Set(
            new Fault
            {
                Mode = FaultMode.Status,
                Status = 401,
                Count = 1,
            }
        );

        Assert.Equal(UpstreamOutcome.Failed, (await Patch(bench)).Outcome);
        Assert.True((await Patch(bench)).IsOk);

        Assert.Equal(["Bearer granted-1", "Bearer granted-2"], bench.Services.Users.Calls.All.Select(c => c.Header("Authorization")));

        static ValueTask<UpstreamAnswer<System.Text.Json.JsonElement>> Patch(UpstreamBench bench) =>
            bench.Client("users").Write(HttpMethod.Patch, "users/u-1001", """{"name":"Al"}"""u8.ToArray(), Any, bench.Call(User("u-1001")));
    }

    [Fact]
    public async Task A_service_that_rejects_new_tokens_too_does_not_cause_endless_token_requests()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(issuer, null, ("Upstreams:users:Token:Mode", "Client"));
        bench.Services.Users.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 401 });

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(
                UpstreamOutcome.Failed,
                (await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001")))).Outcome
            );
        }

        Assert.Equal(2, issuer.TokenRequests.Count);
    }

    [Fact]
    public async Task A_failing_endpoint_affects_only_the_services_that_need_it_and_is_left_alone_after_a_while()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await TestIssuer.Start();
        issuer.TokenFault = IssuerFault.Error;
        await using var bench = await Bench(issuer, clock, ("Upstreams:users:Token:Mode", "Client"));

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(
                UpstreamOutcome.Unavailable,
                (await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001")))).Outcome
            );
            Assert.True((await bench.Client("orders").Get("orders/o-6801", Any, bench.Call(User("u-1001")))).IsOk);
        }

        Assert.Equal(0, bench.Services.Users.Calls.Count);
        Assert.Equal(3, issuer.TokenRequests.Count);

        issuer.TokenFault = IssuerFault.None;
        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("Bearer granted-4", await Sent(bench));
    }

    [Fact]
    public async Task A_refusal_fails_the_call_opens_no_breaker_and_is_remembered_for_a_moment()
    {
        await using var issuer = await TestIssuer.Start();
        issuer.AnswerToken = asked =>
            asked["subject_token"] == "bad" ? (400, new JsonObject { ["error"] = "invalid_grant" }) : (200, Granted("good"));
        await using var bench = await Bench(
            issuer,
            null,
            ("Upstreams:users:Token:Mode", "Exchange"),
            ("Upstreams:users:Token:Audience", "users")
        );

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(UpstreamOutcome.Failed, (await bench.Client("users").Get("users/u-1001", Any, Call(bench, "bad"))).Outcome);
        }

        Assert.True((await bench.Client("users").Get("users/u-1001", Any, Call(bench, "fine"))).IsOk);
        Assert.Equal(2, issuer.TokenRequests.Count);
    }

    [Theory]
    [InlineData("""{"token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"t","token_type":"DPoP"}""")]
    [InlineData("""{"access_token":"t\r\nX-Admin: 1","token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"t\u00e9","token_type":"Bearer"}""")]
    [InlineData("[]")]
    public async Task An_unusable_answer_counts_as_an_unavailable_endpoint(string answer)
    {
        await using var issuer = await TestIssuer.Start();
        issuer.AnswerToken = _ => (200, JsonNode.Parse(answer) as JsonObject ?? []);
        await using var bench = await Bench(issuer, null, ("Upstreams:users:Token:Mode", "Client"));

        Assert.Equal(
            UpstreamOutcome.Unavailable,
            (await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001")))).Outcome
        );
        Assert.Equal(0, bench.Services.Users.Calls.Count);
    }

    [Theory]
    [InlineData("Fail", null, 0)]
    [InlineData("Client", "Bearer granted-1", 1)]
    [InlineData("None", null, 1)]
    public async Task Callers_without_a_token_are_treated_as_configured(string otherwise, string? expected, int calls)
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(
            issuer,
            null,
            ("Upstreams:users:Token:Mode", "Exchange"),
            ("Upstreams:users:Token:Audience", "users"),
            ("Upstreams:users:Token:Otherwise", otherwise)
        );

        await bench.Client("users").Get("users/u-1001", Any, bench.Call(new Caller { Subject = "key_1", Kind = CallerKind.ApiKey }));

        Assert.Equal(calls, bench.Services.Users.Calls.Count);
        Assert.Equal(calls == 0 ? [] : [expected], bench.Services.Users.Calls.All.Select(c => c.Header("Authorization")));
    }

    [Fact]
    public async Task A_fallback_gets_its_own_token_or_none()
    {
        await using var issuer = await TestIssuer.Start();
        issuer.AnswerToken = asked => (200, Granted("for-" + asked.GetValueOrDefault("scope")));
        (string, string)[] users =
        [
            ("Upstreams:users:Token:Mode", "Client"),
            ("Upstreams:users:Token:Scope", "users"),
            ("Upstreams:users:Fallback", "orders"),
            ("Upstreams:users:Retries", "0"),
        ];
        await using var bench = await Bench(issuer, null, users);
        bench.Services.Users.Faults.Set(FaultMode.Reset);

        await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001")));
        bench.Configure([
            .. users,
            .. Registration(issuer),
            ("Upstreams:orders:Token:Mode", "Client"),
            ("Upstreams:orders:Token:Scope", "orders"),
        ]);
        await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001")));

        Assert.All(bench.Services.Users.Calls.All, c => Assert.Equal("Bearer for-users", c.Header("Authorization")));
        Assert.Equal([null, "Bearer for-orders"], bench.Services.Orders.Calls.All.Select(c => c.Header("Authorization")));
    }

    [Fact]
    public async Task The_sandbox_has_its_own_settings()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(issuer, null, ("Upstreams:users:Token:Mode", "Client"));
        bench.Configure([
            .. Registration(issuer),
            ("Upstreams:users:Token:Mode", "Client"),
            ("Sandbox:Upstreams:users:Address", bench.Services.Orders.Address.AbsoluteUri),
        ]);

        await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001", "acme", sandbox: true)));

        Assert.Null(bench.Services.Orders.Calls.All.Single().Header("Authorization"));
        Assert.Empty(issuer.TokenRequests);
    }

    [Fact]
    public async Task A_redirect_is_not_followed_so_that_nobody_else_gets_the_token()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(issuer, null, ("Upstreams:users:Token:Mode", "Client"));
        bench.Services.Users.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 307 });

        await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001")));

        Assert.Equal(0, bench.Services.Orders.Calls.Count);
        Assert.Equal(1, bench.Services.Users.Calls.Count);
    }

    [Fact]
    public async Task A_further_attempt_carries_the_same_token()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(issuer, null, ("Upstreams:users:Token:Mode", "Client"), ("Upstreams:users:Retries", "1"));
        bench.Services.Users.Faults.Set(new Fault { Mode = FaultMode.Reset, Count = 1 });

        Assert.True((await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001")))).IsOk);

        Assert.Equal(["Bearer granted-1", "Bearer granted-1"], bench.Services.Users.Calls.All.Select(c => c.Header("Authorization")));
        Assert.Single(issuer.TokenRequests);
    }

    [Theory]
    [InlineData("Upstreams:users:Canary:Address", "Upstreams:users:Canary:Percent", "100")]
    [InlineData("Tenants:acme:DedicatedUpstreams:users:Address", "Tenants:acme:Plan", "free")]
    public async Task The_canary_and_a_tenant_s_own_address_are_the_same_service_and_get_its_token(string address, string key, string value)
    {
        await using var issuer = await TestIssuer.Start();
        issuer.AnswerToken = asked => (200, Granted("for-" + asked["scope"]));
        await using var bench = await Bench(
            issuer,
            null,
            ("Upstreams:users:Token:Mode", "Client"),
            ("Upstreams:users:Token:Scope", "users")
        );
        bench.Configure([
            .. Registration(issuer),
            ("Upstreams:users:Token:Mode", "Client"),
            ("Upstreams:users:Token:Scope", "users"),
            (address, bench.Services.Orders.Address.AbsoluteUri),
            (key, value),
        ]);

        await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001", "acme")));

        Assert.Equal("Bearer for-users", bench.Services.Orders.Calls.All.Single().Header("Authorization"));
        Assert.Equal(0, bench.Services.Users.Calls.Count);
    }

    [Fact]
    public async Task A_hedge_carries_the_same_token_to_the_same_service()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(
            issuer,
            null,
            ("Upstreams:users:Token:Mode", "Client"),
            ("Upstreams:users:HedgeAfter", "00:00:00.010")
        );
        using var held = bench.Services.Users.Faults.Hold();

        var asked = bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001"))).AsTask();
        await bench.Services.Users.Calls.ReachAsync(2).WaitAsync(WaitLimit);
        held.Dispose();

        Assert.True((await asked).IsOk);
        Assert.Equal(["Bearer granted-1", "Bearer granted-1"], bench.Services.Users.Calls.All.Select(c => c.Header("Authorization")));
        Assert.Single(issuer.TokenRequests);
    }

    [Fact]
    public async Task The_gRPC_status_unauthenticated_is_a_rejected_token_too()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(issuer, null, ("Upstreams:catalog:Token:Mode", "Client"), ("Upstreams:catalog:Http2", "true"));
        bench.Services.Catalog.Faults.Set(
            new Fault
            {
                Mode = FaultMode.Status,
                Status = 16,
                Count = 1,
            }
        );

        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("catalog.v1.ProductCatalog/GetProduct", UriKind.Relative))
        {
            Content = new ByteArrayContent([0, 0, 0, 0, 5, 10, 3, (byte)'p', (byte)'-', (byte)'1'])
            {
                Headers = { ContentType = new("application/grpc") },
            },
        };
        request.Headers.TE.Add(new("trailers"));
        request.Options.Set(Repeatable.ReadsOnly, true);
        using var sent = await bench.Client("catalog").SendRaw(request, bench.Call(User("u-1001")));

        Assert.Equal(0, GrpcStatus.Of(sent.Response!));
        Assert.Equal(["Bearer granted-1", "Bearer granted-2"], bench.Services.Catalog.Calls.All.Select(c => c.Header("Authorization")));
    }

    [Fact]
    public async Task Two_calls_at_once_that_are_refused_ask_for_one_new_token()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(issuer, null, ("Upstreams:users:Token:Mode", "Client"));
        await Sent(bench);
        bench.Services.Users.Faults.Set(
            new Fault
            {
                Mode = FaultMode.Status,
                Status = 401,
                Count = 20,
            }
        );

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => AskAs(bench, i)));

        Assert.Equal(2, issuer.TokenRequests.Count);
        Assert.Contains(answers, a => a.IsOk);
    }

    private static JsonObject Granted(string token) =>
        new()
        {
            ["access_token"] = token,
            ["token_type"] = "Bearer",
            ["expires_in"] = 600,
        };

    private static (string, string)[] Registration(TestIssuer issuer) =>
        [
            ("Clients:default:Authority", issuer.Address),
            ("Clients:default:RequireHttpsMetadata", "false"),
            ("Clients:default:ClientId", "gateway"),
            ("Clients:default:ClientSecret", "s3cret/with+more"),
            ("Clients:default:Timeout", "00:00:30"),
        ];

    private static Task<UpstreamBench> Bench(TestIssuer issuer, TimeProvider? time, params (string, string)[] settings) =>
        StartAsync(time, [.. Registration(issuer), .. settings]);

    private static async Task<string?> Sent(UpstreamBench bench)
    {
        Assert.True((await bench.Client("users").Get("users/u-1001", Any, bench.Call(User("u-1001")))).IsOk);
        return bench.Services.Users.Calls.All[^1].Header("Authorization");
    }

    /// <summary>Reads as the same user in different roles, because identical reads of one caller share one call.</summary>
    private static Task<UpstreamAnswer<JsonElement>> AskAs(UpstreamBench bench, int role) =>
        bench
            .Client("users")
            .Get(
                "users/u-1001",
                Any,
                bench.Call(
                    new Caller
                    {
                        Subject = "u-1001",
                        Kind = CallerKind.Token,
                        Roles = ["role-" + role],
                    }
                )
            )
            .AsTask();

    private static CallContext Call(UpstreamBench bench, string token = Token)
    {
        var call = bench.Call(User("u-1001"));
        call.Request.Token = CallerToken.Of(token);
        return call;
    }
}
