using Bff.Dev.Upstreams.Faults;
using Bff.Requests;
using Bff.Upstreams;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>Tests that only services that are configured for it get the caller's token.</summary>
public sealed class CallerTokenTests
{
    private const string Token = "tok-1.abc~+/=";
    private static readonly (string, string) Users = ("Upstreams:users:ForwardAuthorization", "true");

    [Fact]
    public async Task Only_services_that_are_configured_for_it_get_the_token_with_reads_writes_and_queries()
    {
        await using var bench = await StartAsync(null, Users, ("Upstreams:pricing:ForwardAuthorization", "true"));

        Assert.True((await bench.Client("users").Get("users/u-1001", Any, Call(bench))).IsOk);
        Assert.True(
            (await bench.Client("users").Write(HttpMethod.Patch, "users/u-1001", """{"name":"Al"}"""u8.ToArray(), Any, Call(bench))).IsOk
        );
        Assert.True((await Price(bench.Client("pricing"), "p-1").Make(Call(bench))).IsOk);
        Assert.True((await bench.Client("orders").Get("orders/o-6801", Any, Call(bench))).IsOk);

        Assert.Equal(["Bearer " + Token, "Bearer " + Token], bench.Services.Users.Calls.All.Select(c => c.Header("Authorization")));
        Assert.Equal("Bearer " + Token, bench.Services.Pricing.Calls.All.Single().Header("Authorization"));
        Assert.Null(bench.Services.Orders.Calls.All.Single().Header("Authorization"));
    }

    [Theory]
    [InlineData("Bearer tok-1.abc~+/=")]
    [InlineData("bearer   tok-1.abc~+/=  ")]
    public void The_token_is_sent_in_one_form_however_its_header_was_written(string header)
    {
        Assert.Equal("Bearer " + Token, CallerToken.OfHeader(header).Authorization);
        Assert.Equal(CallerToken.Of(Token), CallerToken.OfHeader(header));
        Assert.DoesNotContain("tok", $"{CallerToken.OfHeader(header)}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fallback_gets_no_token_unless_it_is_configured_to()
    {
        await using var bench = await StartAsync(null, Users, ("Upstreams:users:Fallback", "orders"), ("Upstreams:users:Retries", "0"));
        bench.Services.Users.Faults.Set(FaultMode.Reset);

        await bench.Client("users").Get("users/u-1001", Any, Call(bench));
        bench.Configure(
            Users,
            ("Upstreams:users:Fallback", "orders"),
            ("Upstreams:users:Retries", "0"),
            ("Upstreams:orders:ForwardAuthorization", "true")
        );
        await bench.Client("users").Get("users/u-1001", Any, Call(bench));

        Assert.Equal([null, "Bearer " + Token], bench.Services.Orders.Calls.All.Select(c => c.Header("Authorization")));
    }

    [Fact]
    public async Task A_further_attempt_carries_the_token_too()
    {
        await using var bench = await StartAsync(null, Users, ("Upstreams:users:Retries", "1"));
        bench.Services.Users.Faults.Set(new Fault { Mode = FaultMode.Reset, Count = 1 });

        Assert.True((await bench.Client("users").Get("users/u-1001", Any, Call(bench))).IsOk);

        Assert.Equal(["Bearer " + Token, "Bearer " + Token], bench.Services.Users.Calls.All.Select(c => c.Header("Authorization")));
    }

    [Fact]
    public async Task Without_a_token_the_service_is_not_called()
    {
        await using var bench = await StartAsync(null, Users);
        Caller key = new() { Subject = "key_1", Kind = CallerKind.ApiKey };

        var answers = new[]
        {
            await bench.Client("users").Get("users/u-1001", Any, bench.Call(key)),
            await bench.Client("users").Get("users/u-1001", Any, bench.Call()),
        };

        Assert.All(answers, a => Assert.Equal(UpstreamOutcome.Failed, a.Outcome));
        Assert.Equal(0, bench.Services.Users.Calls.Count);
    }

    [Fact]
    public async Task Reads_with_two_tokens_of_one_caller_are_two_calls_where_the_service_gets_them()
    {
        await using var bench = await StartAsync(null, Users);
        using var held = bench.Services.Users.Faults.Hold();
        using var heldToo = bench.Services.Orders.Faults.Hold();

        var (users, orders) = (bench.Client("users"), bench.Client("orders"));
        var asked = ((string[])[Token, Token, "tok-2"])
            .SelectMany(t =>
                new[] { users.Get("users/u-1001", Any, Call(bench, t)).AsTask(), orders.Get("orders/o-6801", Any, Call(bench, t)).AsTask() }
            )
            .ToList();
        await bench.Services.Users.Calls.ReachAsync(2).WaitAsync(WaitLimit);
        held.Dispose();
        heldToo.Dispose();

        Assert.All(await Task.WhenAll(asked), a => Assert.True(a.IsOk));
        Assert.Equal((2, 1), (bench.Services.Users.Calls.Count, bench.Services.Orders.Calls.Count));
    }

    [Fact]
    public async Task A_shared_read_carries_no_token_and_needs_a_client_that_is_registered_as_shared()
    {
        await using var bench = await StartAsync();
        var shared = Call(bench) with { Request = Call(bench).Request.DetachShared([]) };

        Assert.True(shared.Request.Token.IsNone);
        await Assert.ThrowsAsync<InvalidOperationException>(() => bench.Client("users").Get("users/u-1001", Any, shared).AsTask());
        Assert.True((await new UpstreamClient("users", bench.Sender, isShared: true).Get("users/u-1001", Any, shared)).IsOk);
    }

    private static CallContext Call(UpstreamBench bench, string token = Token)
    {
        var call = bench.Call(User("u-1001"));
        call.Request.Token = CallerToken.Of(token);
        return call;
    }
}
