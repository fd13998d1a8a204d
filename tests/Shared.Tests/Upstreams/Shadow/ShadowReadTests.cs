using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Bff.Dev.Upstreams;
using Bff.Dev.Upstreams.Faults;
using Bff.Requests;
using Bff.TestKit;
using Bff.Upstreams;
using Bff.Upstreams.Shadow;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams.Shadow;

/// <summary>Another version of a service gets copies of reads, and the calls themselves are not affected.</summary>
public sealed class ShadowReadTests : IAsyncLifetime, IDisposable
{
    private const string Path = "users/u-1001";
    private readonly ConcurrentQueue<string> _counted = new();
    private readonly MeterListener _meters = new();
    private SampleServices _shadow = null!;

    public async Task InitializeAsync()
    {
        _shadow = await SampleServices.StartAsync();
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Bff.Upstreams.Shadow")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<long>(
            (instrument, _, tags, _) =>
                _counted.Enqueue(instrument.Name["bff.shadow.".Length..] + string.Concat(tags.ToArray().Select(t => " " + t.Value)))
        );
        _meters.Start();
    }

    public async Task DisposeAsync() => await _shadow.DisposeAsync();

    public void Dispose() => _meters.Dispose();

    [Fact]
    public async Task A_read_is_copied_as_the_service_gets_it_and_both_answers_are_the_same()
    {
        await using var bench = await Start();

        Assert.True((await bench.Client("users").Get(Path, Any, bench.Call(User("u-1001")))).IsOk);
        await Counted("reads users same");

        var (real, copy) = (Assert.Single(bench.Services.Users.Calls.All), Assert.Single(_shadow.Users.Calls.All));
        Assert.Equal((real.Method, real.Path, real.Header("X-Request-Id")), (copy.Method, copy.Path, copy.Header("X-Request-Id")));
        Assert.Equal(real.Header("X-User-Id"), copy.Header("X-User-Id"));
    }

    [Fact]
    public async Task A_query_that_only_reads_is_copied_with_its_body()
    {
        await using var bench = await Start("pricing");

        Assert.True((await Price(bench.Client("pricing"), "p-7").Make(bench.Call())).IsOk);
        await Counted("reads pricing same");

        Assert.Equal(bench.Services.Pricing.Calls.All.Single().Body, _shadow.Pricing.Calls.All.Single().Body);
    }

    [Fact]
    public async Task A_write_is_never_copied()
    {
        await using var bench = await Start("orders");
        using var write = new HttpRequestMessage(HttpMethod.Post, "orders") { Content = new ByteArrayContent("{}"u8.ToArray()) };
        write.Headers.Add("Idempotency-Key", "k-1");
        var sent = await bench.Sender.Send("orders", write, Request(), BodyUse.Decoded, new(long.MaxValue), default);
        sent.Dispose();
        await bench.Client("orders").Get("orders?userId=u-1001", Any, bench.Call()); // A copy of the write would have been started first.
        await Counted("reads orders same");

        Assert.DoesNotContain(_shadow.Orders.Calls.All, c => c.Method == "POST");
        Assert.Contains(bench.Services.Orders.Calls.All, c => c.Method == "POST");
    }

    [Theory]
    [InlineData(FaultMode.Status)]
    [InlineData(FaultMode.Reset)]
    [InlineData(FaultMode.ResetMidBody)]
    [InlineData(FaultMode.Garbage)]
    public async Task A_failing_shadow_is_cut_off_by_its_own_breaker_and_no_call_fails(FaultMode mode)
    {
        await using var bench = await Start();
        _shadow.Users.Faults.Set(mode);
        for (var i = 0; i < 40; i++)
        {
            Assert.True((await bench.Client("users").Get(Path, Any, bench.Call())).IsOk);
            await Eventually.True(() => _counted.Count(c => c.StartsWith("reads", StringComparison.Ordinal)) == i + 1);
        }

        Assert.Equal(BreakerState.Closed, bench.Registry.All.Single(u => u.Options.Name == "users").Pools.First().Pool.Breaker.State);
        Assert.Equal(40, bench.Services.Users.Calls.Count);
        Assert.True(mode == FaultMode.Garbage || _shadow.Users.Calls.Count < 20);
    }

    [Fact]
    public async Task A_shadow_that_hangs_delays_no_call_and_gets_a_limited_number_of_copies_at_once()
    {
        await using var bench = await Start();
        using var held = _shadow.Users.Faults.Hold();
        for (var i = 0; i < ShadowReads.Most + 5; i++)
        {
            Assert.True((await bench.Client("users").Get(Path, Any, bench.Call())).IsOk);
        }

        await Counted("reads users dropped", times: 5);
        held.Dispose();
        await Counted("reads users same", times: ShadowReads.Most);
    }

    [Fact]
    public async Task Differences_are_counted_by_member_and_by_status_and_hold_no_value()
    {
        await using var bench = await Start("users");
        _shadow.Users.Faults.Set(FaultMode.Garbage);
        await bench.Client("users").Get(Path, Any, bench.Call());
        await Counted("differences users  $");

        _shadow.Users.Faults.Set(FaultMode.Status);
        await bench.Client("users").Get(Path, Any, bench.Call());
        await Counted("differences users  status");
        await Counted("reads users different", times: 2);
    }

    [Fact]
    public async Task Nothing_is_compared_unless_that_is_configured()
    {
        await using var bench = await StartAsync(null, Settings("users", compares: false));
        _shadow.Users.Faults.Set(FaultMode.Garbage);
        await bench.Client("users").Get(Path, Any, bench.Call());

        await Counted("reads users answered");
        Assert.DoesNotContain(_counted, c => c.StartsWith("differences", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_share_of_zero_copies_nothing_and_calls_to_a_tenant_s_own_service_are_never_copied()
    {
        await using var bench = await StartAsync(
            null,
            [
                .. Settings("users", percent: "0"),
                .. Settings("orders"),
                ("Tenants:acme:DedicatedUpstreams:orders:Address", _shadow.Products.Address.AbsoluteUri),
            ]
        );
        await bench.Client("users").Get(Path, Any, bench.Call());
        await bench.Client("orders").Get("orders?userId=u-1001", Any, bench.Call(User("u-1001", tenant: "acme")));
        await bench.Client("orders").Get("orders?userId=u-1001", Any, bench.Call());
        await Counted("reads orders same");

        Assert.Equal((0, 1), (_shadow.Users.Calls.Count, _shadow.Orders.Calls.Count));
    }

    [Fact]
    public async Task The_shadow_gets_the_caller_s_token_where_the_service_does()
    {
        await using var bench = await StartAsync(null, [.. Settings("users"), ("Upstreams:users:ForwardAuthorization", "true")]);
        var call = bench.Call(User("u-1001"));
        call.Request.Token = CallerToken.Of("tok-1.abc");

        Assert.True((await bench.Client("users").Get(Path, Any, call)).IsOk);
        await Counted("reads users same");

        Assert.Equal("Bearer tok-1.abc", Assert.Single(bench.Services.Users.Calls.All).Header("Authorization"));
        Assert.Equal("Bearer tok-1.abc", Assert.Single(_shadow.Users.Calls.All).Header("Authorization"));
    }

    [Fact]
    public async Task An_edit_is_taken_while_running()
    {
        await using var bench = await StartAsync(null, Settings("users", percent: "0"));
        await bench.Client("users").Get(Path, Any, bench.Call());

        bench.Configure(Settings("users"));
        await bench.Client("users").Get(Path, Any, bench.Call());
        await Counted("reads users same");
        bench.Configure();
        await bench.Client("users").Get(Path, Any, bench.Call());

        Assert.Equal((3, 1), (bench.Services.Users.Calls.Count, _shadow.Users.Calls.Count));
    }

    [Fact]
    public async Task A_share_of_50_percent_copies_about_half_of_the_reads()
    {
        await using var bench = await StartAsync(null, Settings("users", percent: "50"));
        for (var i = 0; i < 200; i++)
        {
            Assert.True((await bench.Client("users").Get(Path, Any, bench.Call())).IsOk);
        }

        // Seven standard deviations on either side of the mean: chance alone leaves the range less than once in 10^12 runs.
        await Eventually.True(() =>
            _counted.Count == _shadow.Users.Calls.Count + _counted.Count(c => c.EndsWith("dropped", StringComparison.Ordinal))
        );
        Assert.InRange(_counted.Count, 50, 150);
    }

    [Fact]
    public async Task A_copy_goes_on_when_its_caller_disconnects()
    {
        await using var bench = await Start();
        using var real = bench.Services.Users.Faults.Hold();
        using var held = _shadow.Users.Faults.Hold();
        using var gone = new CancellationTokenSource();
        var call = bench.Client("users").Get(Path, Any, bench.Call(cancellation: gone.Token)).AsTask();
        var asked = await bench.Services.Users.Calls.FirstAsync(_ => true).WaitAsync(WaitLimit);
        var copied = await _shadow.Users.Calls.FirstAsync(_ => true).WaitAsync(WaitLimit);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.True(await asked.Ended.WaitAsync(WaitLimit));
        held.Dispose();
        Assert.False(await copied.Ended.WaitAsync(WaitLimit));
        await Counted("reads users answered"); // The cancelled call has no answer to compare with.
    }

    [Theory]
    [InlineData(FaultMode.Hang)]
    [InlineData(FaultMode.Endless)]
    public async Task A_shadow_that_never_finishes_is_given_up_after_the_upstream_s_timeout(FaultMode mode)
    {
        var clock = new ManualTimeProvider();
        await using var bench = await StartAsync(clock, [.. Settings("users"), ("Upstreams:users:Timeout", "00:00:07")]);
        _shadow.Users.Faults.Set(mode);
        Assert.True((await bench.Client("users").Get(Path, Any, bench.Call())).IsOk);
        var copied = await _shadow.Users.Calls.FirstAsync(_ => true).WaitAsync(WaitLimit);
        Assert.False(copied.Ended.IsCompleted);

        clock.Advance(TimeSpan.FromSeconds(7));

        Assert.True(await copied.Ended.WaitAsync(WaitLimit));
        await Counted("reads users failed");
        _shadow.Users.Faults.Heal();
        Assert.True((await bench.Client("users").Get(Path, Any, bench.Call())).IsOk);
        await Counted("reads users same");
    }

    [Fact]
    public async Task No_more_than_a_mebibyte_of_a_shadow_s_answer_is_read()
    {
        await using var bench = await StartAsync(null, [.. Settings("users"), ("Upstreams:users:MaxResponseBytes", "67108864")]);
        _shadow.Users.Faults.Set(FaultMode.Oversize);

        Assert.True((await bench.Client("users").Get(Path, Any, bench.Call())).IsOk);

        await Counted("reads users failed");
    }

    /// <summary>
    /// If the service's own answer is too large to be kept for comparison, or is not JSON, only the status is compared.
    /// </summary>
    [Theory]
    [InlineData(FaultMode.Oversize)]
    [InlineData(FaultMode.Garbage)]
    [InlineData(FaultMode.Html)]
    public async Task A_bad_answer_of_the_service_does_not_count_against_the_shadow(FaultMode mode)
    {
        await using var bench = await StartAsync(null, [.. Settings("users"), ("Upstreams:users:MaxResponseBytes", "67108864")]);
        bench.Services.Users.Faults.Set(mode);

        await bench.Client("users").Get(Path, Any, bench.Call());

        await Counted("reads users same");
        Assert.Single(_counted);
    }

    [Fact]
    public async Task Long_lived_requests_are_not_copied()
    {
        await using var bench = await Start();
        foreach (var (header, value) in ((string, string)[])[("Accept", "text/html, Text/Event-Stream"), ("Upgrade", "websocket")])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Path);
            request.Headers.TryAddWithoutValidation(header, value);
            (await bench.Sender.Send("users", request, Request(), BodyUse.Decoded, new(long.MaxValue), default)).Dispose();
        }

        Assert.True((await bench.Client("users").Get(Path, Any, bench.Call())).IsOk);
        await Counted("reads users same");

        Assert.Equal((3, 1), (bench.Services.Users.Calls.Count, _shadow.Users.Calls.Count));
    }

    [Fact]
    public async Task A_test_key_s_reads_are_copied_to_the_sandbox_s_shadow_only()
    {
        var sandbox = ("Sandbox:Upstreams:users:Address", _shadow.Orders.Address.AbsoluteUri);
        await using var bench = await StartAsync(null, [.. Settings("users"), sandbox]);
        await bench.Client("users").Get(Path, Any, bench.Call(User("u-1001", sandbox: true)));
        bench.Configure([
            .. Settings("users"),
            sandbox,
            ("Sandbox:Upstreams:users:Shadow:Address", _shadow.Products.Address.AbsoluteUri),
            ("Sandbox:Upstreams:users:Shadow:Percent", "100"),
        ]);
        await bench.Client("users").Get(Path, Any, bench.Call(User("u-1001", sandbox: true)));
        await Counted("reads users answered");

        Assert.Equal(
            (0, 2, 0, 1),
            (bench.Services.Users.Calls.Count, _shadow.Orders.Calls.Count, _shadow.Users.Calls.Count, _shadow.Products.Calls.Count)
        );
    }

    private Task<UpstreamBench> Start(string service = "users") => StartAsync(null, Settings(service));

    private (string, string)[] Settings(string service, string percent = "100", bool compares = true) =>
        [
            ($"Upstreams:{service}:Shadow:Address", _shadow.All.Single(s => s.Name == service).Address.AbsoluteUri),
            ($"Upstreams:{service}:Shadow:Percent", percent),
            ($"Upstreams:{service}:Shadow:Compare", compares ? "true" : "false"),
        ];

    private Task<TimeSpan> Counted(string what, int times = 1) => Eventually.True(() => _counted.Count(c => c == what) >= times);
}
