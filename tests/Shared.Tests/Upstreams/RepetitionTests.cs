using System.Diagnostics;
using System.Text;
using Bff.Dev.Upstreams.Calls;
using Bff.Dev.Upstreams.Faults;
using Bff.TestKit;
using Bff.Upstreams;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>Tests of which requests are sent more than once.</summary>
public sealed class RepetitionTests
{
    private static readonly byte[] Order = Encoding.UTF8.GetBytes("""{"items":[{"productId":"p-1","quantity":1}]}""");

    [Fact]
    public async Task A_read_is_repeated_once_when_the_connection_breaks()
    {
        await using var bench = await StartAsync();
        bench.Services.Users.Faults.Set(new Fault { Mode = FaultMode.Reset, Count = 1 });

        Assert.True((await bench.Client("users").Get("users/u-1001", Any, bench.Call())).IsOk);

        Assert.Equal(2, bench.Services.Users.Calls.Count);
    }

    [Theory]
    [InlineData("users")]
    [InlineData("spare")]
    public async Task A_further_attempt_sends_the_same_request(string second)
    {
        await using var bench = await StartAsync();
        bench.Configure(
            ("Upstreams:spare:Address", bench.Services.Media.Address.AbsoluteUri),
            ("Upstreams:users:Address", bench.Services.Products.Address.AbsoluteUri),
            ("Upstreams:users:Fallback", "spare"),
            ("Upstreams:users:Retries", second == "users" ? "1" : "0")
        );
        bench.Services.Products.Faults.Set(new Fault { Mode = FaultMode.Status, Count = 1 });
        using var request = new Activity("request") { TraceStateString = "a=b" }
            .SetIdFormat(ActivityIdFormat.W3C)
            .Start();

        await bench.Client("users").Get("products/p-1", Any, bench.Call(User("u-1", "acme")));

        var calls = bench.Services.Products.Calls.All.Concat(bench.Services.Media.Calls.All).ToList();
        Assert.Equal(2, calls.Count);
        Assert.Equal(Told(calls[0]), Told(calls[1]));

        static Dictionary<string, string> Told(RecordedCall call) =>
            call.Headers.Where(h => h.Key != "Host").ToDictionary(h => h.Key, h => h.Value.ToString());
    }

    [Theory]
    [InlineData(FaultMode.Status)]
    [InlineData(FaultMode.Reset)]
    [InlineData(FaultMode.ResetMidBody)]
    [InlineData(FaultMode.Garbage)]
    [InlineData(FaultMode.Html)]
    [InlineData(FaultMode.Empty)]
    [InlineData(FaultMode.Truncated)]
    [InlineData(FaultMode.Oversize)]
    [InlineData(FaultMode.Hang)]
    [InlineData(FaultMode.Endless)]
    public async Task A_write_without_a_key_is_sent_exactly_once_however_it_fails(FaultMode mode)
    {
        await using var bench = await StartAsync(null, ("Upstreams:orders:Retries", "3"), ("Upstreams:orders:HedgeAfter", "00:00:00.010"));
        var orders = bench.Client("orders");
        // Opens a connection that is kept alive.
        Assert.True((await orders.Get("orders/o-none", Any, bench.Call())).Outcome == UpstreamOutcome.NotFound);
        bench.Services.Orders.Calls.Clear();
        bench.Services.Orders.Faults.Set(mode);
        var within = mode is FaultMode.Hang or FaultMode.Endless ? TimeSpan.FromSeconds(5) : WaitLimit;

        foreach (var body in new[] { Order, [] })
        {
            bench.Services.Orders.Calls.Clear();
            var answer = await orders.Write(HttpMethod.Post, "orders", body, Any, bench.Call(within: within));

            Assert.False(answer.IsOk);
            Assert.Single(bench.Services.Orders.Calls.All, c => c.Method == "POST"); // Only POST counts: the read's hedge may come late.
        }
    }

    [Fact]
    public async Task A_keyed_write_is_repeated_under_the_same_key()
    {
        await using var bench = await StartAsync();
        bench.Services.Orders.Faults.Set(new Fault { Mode = FaultMode.Reset, Count = 1 });

        var answer = await bench.Client("orders").Write(HttpMethod.Post, "orders", Order, Any, bench.Call(User("u-1001", "acme")), "key-1");

        Assert.Equal(201, answer.Status);
        Assert.Equal(["key-1", "key-1"], bench.Services.Orders.Calls.All.Select(c => c.Header("Idempotency-Key")));
    }

    [Fact]
    public async Task A_hedged_read_takes_the_first_answer_and_aborts_the_loser()
    {
        var time = new ManualTimeProvider();
        await using var bench = await StartAsync(time, ("Upstreams:search:HedgeAfter", "00:00:00.100"));
        bench.Services.Search.Faults.Set(new Fault { Mode = FaultMode.Hang, Count = 1 });

        var pending = bench.Client("search").Get("search?q=shoe", Any, bench.Call()).AsTask();
        var first = await bench.Services.Search.Calls.FirstAsync(_ => true).WaitAsync(WaitLimit);
        while (!pending.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
            if (time.GetUtcNow() - new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) > TimeSpan.FromSeconds(20))
            {
                break;
            }

            await Task.WhenAny(pending, bench.Services.Search.Calls.ReachAsync(2));
        }

        Assert.True((await pending.WaitAsync(WaitLimit)).IsOk);
        Assert.True(await first.Ended.WaitAsync(WaitLimit));
        Assert.Equal(2, bench.Services.Search.Calls.Count);
    }
}
