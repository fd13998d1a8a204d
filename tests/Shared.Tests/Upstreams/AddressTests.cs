using Bff.Dev.Upstreams.Faults;
using Bff.TestKit;
using Bff.Upstreams;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>Tests of the choice of a call's address.</summary>
public sealed class AddressTests
{
    [Fact]
    public void The_less_loaded_of_two_is_chosen()
    {
        var time = new ManualTimeProvider();
        UpstreamAddress busy = new(new(new Uri("http://a/")), time),
            idle = new(new(new Uri("http://b/")), time);
        busy.Started();

        Assert.All(Enumerable.Range(0, 100), _ => Assert.Same(idle, UpstreamAddress.Choose([busy, idle], null)));
    }

    [Fact]
    public void An_address_that_fails_three_times_in_a_row_rests_for_five_seconds()
    {
        var time = new ManualTimeProvider();
        UpstreamAddress broken = new(new(new Uri("http://a/")), time),
            good = new(new(new Uri("http://b/")), time);
        for (var i = 0; i < 3; i++)
        {
            broken.Started();
            broken.Ended(isGood: false);
        }

        good.Started(); // It is loaded, but the other one rests.
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Same(good, UpstreamAddress.Choose([broken, good], null)));
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.True(broken.IsHealthy);
    }

    [Fact]
    public async Task A_second_attempt_goes_to_another_address()
    {
        await using var bench = await StartAsync();
        var users = bench.Services.Users.Address;
        bench.Configure(("Upstreams:users:Addresses:0", "http://127.0.0.1:1"), ("Upstreams:users:Addresses:1", users.AbsoluteUri));

        for (var i = 0; i < 2; i++) // The retry budget always allows two.
        {
            Assert.True((await bench.Client("users").Get("users/u-1001", Any, bench.Call())).IsOk);
        }
    }

    [Fact]
    public async Task A_caller_always_gets_the_same_canary_decision_and_the_share_is_about_right()
    {
        await using var bench = await StartAsync(
            null,
            ("Upstreams:users:Canary:Address", "http://127.0.0.1:1"),
            ("Upstreams:users:Canary:Percent", "20")
        );
        var main = Pool(bench, "none");
        var canary = bench.Registry.Find("users", Request())!.Pools.Single(p => p.Name == "canary").Pool;

        var chosen = Enumerable.Range(0, 2000).Select(i => Pool(bench, $"u-{i}")).ToList();

        Assert.Equal(chosen, Enumerable.Range(0, 2000).Select(i => Pool(bench, $"u-{i}")));
        Assert.InRange(chosen.Count(p => p == canary), 300, 500);
        Assert.NotNull(main);

        static UpstreamPool Pool(UpstreamBench bench, string user)
        {
            var request = Request(User(user, "acme"));
            return bench.Registry.Find("users", request)!.PoolFor(request);
        }
    }

    [Fact]
    public async Task A_tenant_with_an_address_of_its_own_never_calls_the_shared_one()
    {
        await using var bench = await StartAsync();
        bench.Configure(("Tenants:acme:DedicatedUpstreams:users:Address", bench.Services.Products.Address.AbsoluteUri));

        await bench.Client("users").Get("products/p-1", Any, bench.Call(User("u-1001", "acme")));
        await bench.Client("users").Get("users/u-1002", Any, bench.Call(User("u-1002", "globex")));

        Assert.Equal(["/products/p-1"], bench.Services.Products.Calls.All.Select(c => c.Path));
        Assert.Equal(["/users/u-1002"], bench.Services.Users.Calls.All.Select(c => c.Path));
    }

    [Fact]
    public async Task A_sandbox_caller_never_reaches_live_services()
    {
        await using var bench = await StartAsync();
        var tester = User("key-1", "acme", sandbox: true);

        Assert.Equal(UpstreamOutcome.Unavailable, (await bench.Client("users").Get("users/u-1001", Any, bench.Call(tester))).Outcome);
        bench.Configure(("Sandbox:Upstreams:users:Address", bench.Services.Products.Address.AbsoluteUri));
        Assert.True((await bench.Client("users").Get("products/p-1", Any, bench.Call(tester))).IsOk);

        Assert.Equal(0, bench.Services.Users.Calls.Count);
    }

    [Theory, InlineData("users", "false"), InlineData("catalog", "true")]
    public async Task A_fallback_answers_for_a_service_that_fails_and_the_answer_says_so(string service, string http2)
    {
        await using var bench = await StartAsync();
        bench.Configure(
            ("Upstreams:spare:Address", bench.Services.Products.Address.AbsoluteUri),
            ("Upstreams:users:Fallback", "spare"),
            ("Upstreams:users:Retries", "0"),
            ("Upstreams:users:Address", bench.Services[service].Address.AbsoluteUri),
            ("Upstreams:users:Http2", http2)
        );
        bench.Services[service].Faults.Set(FaultMode.Reset);

        var answer = await bench.Client("users").Get("products/p-1", Any, bench.Call());

        Assert.True(answer.IsOk && answer.FromFallback);
    }

    [Fact]
    public async Task A_grpc_call_stays_one_at_the_fallback()
    {
        await using var bench = await StartAsync();
        bench.Configure(
            ("Upstreams:spare:Address", bench.Services.Catalog.Address.AbsoluteUri),
            ("Upstreams:users:Fallback", "spare"),
            ("Upstreams:users:Retries", "0")
        );
        bench.Services.Users.Faults.Set(FaultMode.Reset);

        var answer = await bench.Product("users", "p-1");

        Assert.Equal("p-1", answer.Value);
        Assert.True(answer.FromFallback);
    }

    [Fact]
    public async Task A_reload_keeps_what_has_not_changed()
    {
        await using var bench = await StartAsync();
        var (users, orders) = (bench.Registry.Find("users", Request()), bench.Registry.Find("orders", Request()));

        bench.Configure(("Upstreams:orders:Retries", "3"));

        Assert.Same(users, bench.Registry.Find("users", Request()));
        Assert.NotSame(orders, bench.Registry.Find("orders", Request()));
    }
}
