using System.Diagnostics.Metrics;

namespace MobileBff.Tests.Failures;

/// <summary>Identical reads in flight within an instance share one upstream call.</summary>
public sealed class SharedReadsTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task Two_hundred_reads_of_a_product_at_once_are_one_call_per_part()
    {
        const int Readers = 200;
        var host = Start();
        SampleService[] services = [Upstream.Products, Upstream.Pricing, Upstream.Reviews, Upstream.Inventory];
        using var joined = new Joined(host, (Readers - 1) * services.Length);
        var held = services.Select(s => s.Faults.Hold()).ToList();

        var readers = Enumerable
            .Range(0, Readers)
            .Select(i => host.Get("/products/p-1", i % 2 == 0 ? null : $"u-{1001 + (i % 50)}"))
            .ToList();
        await joined.All.WaitAsync(WaitLimit);
        held.ForEach(h => h.Dispose());

        foreach (var response in await Task.WhenAll(readers))
        {
            Assert.Equal("p-1", (string?)(await Ok(response))["id"]);
        }

        Assert.All(services, s => Assert.Equal(1, s.Calls.Count));
    }

    [Fact]
    public async Task Uncached_parts_in_flight_are_shared_only_by_requests_of_the_same_caller()
    {
        const int Readers = 50;
        var host = Start();
        SampleService[] services = [Upstream.Users, Upstream.Orders, Upstream.Recommendations];
        using var joined = new Joined(host, 2 * (Readers - 1));
        var held = services.Select(s => s.Faults.Hold()).ToList();

        // A request starts its parts in order, so one that has joined for recommendations has also joined for the user and the orders.
        var readers = Enumerable
            .Range(0, 2 * Readers)
            .Select(i => (User: $"u-{1001 + (i % 2)}", Answer: host.Get("/home-feed", $"u-{1001 + (i % 2)}")))
            .ToList();
        await joined.All.WaitAsync(WaitLimit);
        held.ForEach(h => h.Dispose());

        foreach (var (user, answer) in readers)
        {
            Assert.Equal(user, (string?)(await Ok(await answer))["user"]!["id"]);
        }

        Assert.All(services, s => Assert.Equal(["u-1001", "u-1002"], s.Calls.All.Select(c => c.Header("X-User-Id")).Order()));
        await Ok(await host.Get("/home-feed"));
        Assert.Equal(3, Upstream.Users.Calls.Count);
    }

    [Theory]
    [InlineData("users", "/me", "PATCH", "/me", """{"name":"Al"}""")]
    [InlineData("orders", "/orders", "POST", "/orders", """{"currency":"EUR","items":[{"productId":"p-1","quantity":1}]}""")]
    public async Task A_read_after_the_callers_own_write_does_not_join_an_earlier_read(
        string service,
        string path,
        string method,
        string at,
        string body
    )
    {
        var host = Start(new() { [$"Upstreams:{service}:Retries"] = "0" }); // A retry would count as the second read.
        var released = new TaskCompletionSource();
        Upstream[service]
            .Faults.Set(
                new Fault
                {
                    Mode = FaultMode.Delay,
                    Method = "GET",
                    Until = released.Task,
                }
            );
        var before = host.Get(path);
        await Upstream[service].Calls.ReachAsync(1).WaitAsync(WaitLimit);

        var write = host.Request(new HttpMethod(method), at);
        write.Content = new StringContent(
            body,
            System.Text.Encoding.UTF8,
            method == "PATCH" ? "application/merge-patch+json" : "application/json"
        );
        using var written = await host.Client.SendAsync(write);
        var after = host.Get(path);
        await Upstream[service].Calls.ReachAsync(3).WaitAsync(WaitLimit);
        released.SetResult();

        Assert.True(written.IsSuccessStatusCode, await written.Content.ReadAsStringAsync());
        await Ok(await before);
        await Ok(await after);
    }

    /// <summary>Completes when the given number of reads of this host have joined a read of the cache.</summary>
    private sealed class Joined : IDisposable
    {
        private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly MeterListener _listener;
        private int _count;

        public Joined(MobileHost host, int wanted)
        {
            _listener = host.Services.Listen("bff.cache.requests");
            _listener.SetMeasurementEventCallback<long>(
                (_, _, tags, _) =>
                {
                    foreach (var tag in tags)
                    {
                        if (tag is { Key: "result", Value: "joined" } && Interlocked.Increment(ref _count) == wanted)
                        {
                            _all.TrySetResult();
                        }
                    }
                }
            );
            _listener.Start();
        }

        public Task All => _all.Task;

        public void Dispose() => _listener.Dispose();
    }
}
