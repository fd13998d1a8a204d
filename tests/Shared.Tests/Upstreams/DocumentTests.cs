using Bff.Dev.Upstreams.Faults;
using Bff.Upstreams;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>Tests of reading a service's answer, valid or not.</summary>
[Collection(nameof(Alone))]
public sealed class DocumentTests
{
    [Theory]
    [InlineData(FaultMode.Garbage)]
    [InlineData(FaultMode.Html)]
    [InlineData(FaultMode.Empty)]
    [InlineData(FaultMode.Truncated)]
    [InlineData(FaultMode.Oversize)]
    [InlineData(FaultMode.Bomb)]
    [InlineData(FaultMode.ResetMidBody)]
    public async Task An_invalid_document_is_a_failure_within_bounded_memory(FaultMode mode)
    {
        await using var bench = await StartAsync(null, ("Upstreams:users:Retries", "0"));
        bench.Services.Users.Faults.Set(mode);
        await bench.Client("users").Get("users/u-1001", Any, bench.Call()); // Makes the service build its bomb before it is measured.
        var before = GC.GetTotalAllocatedBytes();

        Assert.Equal(UpstreamOutcome.Failed, (await bench.Client("users").Get("users/u-1001", Any, bench.Call())).Outcome);

        Assert.True(GC.GetTotalAllocatedBytes() - before < 100 * 1024 * 1024);
    }

    [Fact]
    public async Task A_grpc_read_gives_its_message_or_not_found()
    {
        await using var bench = await StartAsync(null, ("Upstreams:catalog:Http2", "true"));

        var found = await bench.Product("catalog", "p-1");
        var unknown = await bench.Product("catalog", "p-none");

        Assert.Equal("p-1", found.Value);
        Assert.Equal(UpstreamOutcome.NotFound, unknown.Outcome);
    }

    [Theory]
    [InlineData(14)]
    [InlineData(13)]
    public async Task A_grpc_status_in_the_trailers_is_a_failure(int status)
    {
        await using var bench = await StartAsync(null, ("Upstreams:catalog:Http2", "true"), ("Upstreams:catalog:Retries", "0"));
        bench.Services.Catalog.Faults.Set(new Fault { Mode = FaultMode.Status, Status = status });

        var answer = await bench.Product("catalog", "p-1");

        Assert.Equal(UpstreamOutcome.Failed, answer.Outcome);
    }

    [Fact]
    public async Task A_graphql_error_is_a_failure_whatever_its_status()
    {
        await using var bench = await StartAsync();
        var pricing = bench.Client("pricing");

        Assert.True((await Price(pricing, "p-1").Make(bench.Call())).IsOk);
        bench.Services.Pricing.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 200 });
        Assert.Equal(UpstreamOutcome.Failed, (await Price(pricing, "p-1").Make(bench.Call())).Outcome);
    }
}
