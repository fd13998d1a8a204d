using Bff.Dev.Upstreams.Faults;
using Bff.Upstreams;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>
/// Tests of generated gRPC clients that send through an upstream's pool, and of the outcomes that their exceptions become.
/// </summary>
public sealed class GrpcClientTests
{
    private static readonly (string, string)[] Http2 = [("Upstreams:catalog:Http2", "true"), ("Upstreams:catalog:Retries", "0")];

    [Theory]
    [InlineData(FaultMode.Garbage)]
    [InlineData(FaultMode.Html)]
    [InlineData(FaultMode.Empty)]
    [InlineData(FaultMode.Truncated)]
    [InlineData(FaultMode.Reset)]
    [InlineData(FaultMode.ResetMidBody)]
    public async Task A_body_that_is_not_a_message_is_a_failure(FaultMode mode)
    {
        await using var bench = await StartAsync(null, Http2);
        bench.Services.Catalog.Faults.Set(mode);

        Assert.Equal(UpstreamOutcome.Failed, (await bench.Product("catalog", "p-1")).Outcome);
    }

    [Fact]
    public async Task A_service_that_hangs_takes_no_more_than_the_calls_time()
    {
        await using var bench = await StartAsync(null, Http2);
        bench.Services.Catalog.Faults.Set(FaultMode.Hang);

        var answer = await bench.Product("catalog", "p-1", bench.Call(within: TimeSpan.FromMilliseconds(100)));

        Assert.Equal(UpstreamOutcome.Timeout, answer.Outcome);
    }

    [Fact]
    public async Task A_caller_who_leaves_ends_the_call()
    {
        await using var bench = await StartAsync(null, Http2);
        bench.Services.Catalog.Faults.Set(FaultMode.Hang);
        using var leaves = new CancellationTokenSource();

        var pending = bench.Product("catalog", "p-1", bench.Call(cancellation: leaves.Token));
        await bench.Services.Catalog.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        await leaves.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending.WaitAsync(WaitLimit));
    }

    [Fact]
    public async Task A_call_that_the_breaker_refuses_is_unavailable_and_says_when_to_retry()
    {
        await using var bench = await StartAsync(
            null,
            [.. Http2, ("Upstreams:catalog:Breaker:MinimumThroughput", "2"), ("Upstreams:catalog:Breaker:BreakDuration", "00:00:30")]
        );
        bench.Services.Catalog.Faults.Set(new Fault { Mode = FaultMode.Status, Status = (int)StatusCode.Unavailable });
        await bench.Product("catalog", "p-1");
        await bench.Product("catalog", "p-1");

        var answer = await bench.Product("catalog", "p-1");

        Assert.Equal(UpstreamOutcome.Unavailable, answer.Outcome);
        Assert.InRange(answer.RetryAfter!.Value, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_failure_is_retried_and_does_not_affect_another_call()
    {
        await using var bench = await StartAsync(null, ("Upstreams:catalog:Http2", "true"), ("Upstreams:catalog:Retries", "1"));
        bench.Services.Catalog.Faults.Set(
            new Fault
            {
                Mode = FaultMode.Status,
                Status = (int)StatusCode.Unavailable,
                Count = 1,
            }
        );

        var both = await Task.WhenAll(bench.Product("catalog", "p-1"), bench.Product("catalog", "p-none"));

        Assert.Equal(("p-1", UpstreamOutcome.NotFound), (both[0].Value, both[1].Outcome));
    }

    [Fact]
    public async Task A_shared_read_needs_a_client_that_is_registered_as_shared()
    {
        await using var bench = await StartAsync(null, Http2);
        var call = bench.Call();

        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            bench.Product("catalog", "p-1", call with { Request = call.Request.DetachShared([]) })
        );
    }

    [Fact]
    public async Task A_generated_client_that_is_called_directly_sends_nothing()
    {
        await using var bench = await StartAsync(null, Http2);
        using var channel = GrpcSender.Open(bench.Client("catalog"));

        await Assert.ThrowsAsync<RpcException>(async () =>
            await channel.CreateCallInvoker().AsyncUnaryCall(CatalogCalls.GetProduct, null, default, new StringValue { Value = "p-1" })
        );

        Assert.Equal(0, bench.Services.Catalog.Calls.Count);
    }
}
