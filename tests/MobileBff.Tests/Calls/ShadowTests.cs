using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace MobileBff.Tests.Calls;

/// <summary>A shadow version of the order service gets copies of the calls of the home feed and of a route.</summary>
public sealed class ShadowTests(SharedSurroundings surroundings) : MobileTest(surroundings), IAsyncLifetime, IDisposable
{
    private readonly ConcurrentQueue<string> _different = new();
    private readonly MeterListener _meters = new();
    private SampleServices _shadow = null!;

    async Task IAsyncLifetime.InitializeAsync()
    {
        await base.InitializeAsync();
        _shadow = await SampleServices.StartAsync();
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "bff.shadow.differences")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<long>(
            (_, _, tags, _) => _different.Enqueue(string.Join(' ', tags.ToArray().Select(t => t.Value)))
        );
        _meters.Start();
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        await _shadow.DisposeAsync();
        await base.DisposeAsync();
    }

    public void Dispose() => _meters.Dispose();

    [Theory]
    [InlineData(FaultMode.Hang)]
    [InlineData(FaultMode.Reset)]
    [InlineData(FaultMode.Status)]
    public async Task A_failing_shadow_degrades_no_answer(FaultMode mode)
    {
        _shadow.Orders.Faults.Set(mode);
        var host = Start(Shadowed);

        using var feed = await host.Get("/home-feed");
        using var list = await host.Get("/orders");
        await _shadow.Orders.Calls.ReachAsync(2).WaitAsync(WaitLimit);

        Assert.Null(JsonNode.Parse(await feed.Content.ReadAsStringAsync())!["_meta"]!["degraded"]);
        Assert.Equal((HttpStatusCode.OK, 2), (list.StatusCode, Upstream.Orders.Calls.Count));
        Assert.All(_shadow.Orders.Calls.All, c => Assert.Equal("GET", c.Method));
    }

    [Fact]
    public async Task A_difference_is_counted_at_the_endpoint_and_its_member()
    {
        _shadow.Orders.Faults.Set(FaultMode.Status);
        var host = Start(Shadowed);

        using var feed = await host.Get("/home-feed");

        await Eventually.True(() => _different.Contains("orders home-feed status"));
    }

    [Fact]
    public async Task An_order_is_placed_at_the_service_and_not_at_its_shadow()
    {
        var host = Start(Shadowed);
        var request = host.Request(HttpMethod.Post, "/orders");
        request.Content = new StringContent(
            """{"currency":"EUR","items":[{"productId":"p-1","quantity":1}]}""",
            System.Text.Encoding.UTF8,
            "application/json"
        );

        using var placed = await host.Client.SendAsync(request);
        using var list = await host.Get("/orders");
        await _shadow.Orders.Calls.ReachAsync(1).WaitAsync(WaitLimit);

        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        Assert.Equal("GET", Assert.Single(_shadow.Orders.Calls.All).Method);
    }

    [Fact]
    public async Task A_hanging_shadow_does_not_affect_a_hundred_requests_on_three_instances()
    {
        _shadow.Orders.Faults.Set(FaultMode.Hang);
        MobileHost[] hosts = [Start(Shadowed), Start(Shadowed), Start(Shadowed)];

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => hosts[i % 3].Get("/orders", $"u-{1001 + i}")));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        await _shadow.Orders.Calls.ReachAsync(3 * 32).WaitAsync(WaitLimit);
        Assert.Equal((3 * 32, 100), (_shadow.Orders.Calls.Count, Upstream.Orders.Calls.Count));
        using var feed = await hosts[0].Get("/home-feed");
        Assert.Null(JsonNode.Parse(await feed.Content.ReadAsStringAsync())!["_meta"]!["degraded"]);
        Array.ForEach(answers, a => a.Dispose());
    }

    private Dictionary<string, string?> Shadowed =>
        new()
        {
            ["Upstreams:orders:Shadow:Address"] = _shadow.Orders.Address.AbsoluteUri,
            ["Upstreams:orders:Shadow:Percent"] = "100",
            ["Upstreams:orders:Shadow:Compare"] = "true",
        };
}
