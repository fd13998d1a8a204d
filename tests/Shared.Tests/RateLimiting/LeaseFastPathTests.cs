using Bff.RateLimiting;
using Bff.Tenancy;
using Bff.TestKit;

namespace Bff.Shared.Tests.RateLimiting;

public sealed class LeaseFastPathTests
{
    [Fact]
    public async Task A_request_admitted_on_lease_allocates_nothing_and_makes_no_store_call()
    {
        await using var instance = await LimitInstance.Start(
            null,
            LimitMode.Leased,
            new ManualTimeProvider(),
            ("Plans:free:Burst", "1000000"),
            ("Plans:free:RequestsPerMinute", "1"),
            ("Plans:free:RequestsPerDay", "900000")
        );
        var set = instance.Set();
        Assert.Equal(DecisionSource.Lease, (await instance.Decide(set)).Source);
        var rounds = new List<long>();
        while (rounds.Count < 20 && !rounds.Contains(0)) // The first rounds include allocations of the just-in-time compiler.
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var admitted = 0;
            for (var i = 0; i < 1_000; i++)
            {
                admitted += instance.Decider.TryDecide(set, 1, 1, out var decision) && decision.Outcome == DecisionOutcome.Admitted ? 1 : 0;
            }

            rounds.Add(GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(1_000, admitted);
        }

        Assert.Contains(0, rounds);
        // A single lease of 5 % served all requests.
        Assert.Equal(1_000_000 - 50_000, set.Levels[0].Seen!.Units / BucketPolicy.UnitsPerToken);
    }

    [Fact]
    public async Task A_request_that_another_level_refuses_takes_nothing_from_the_lease()
    {
        await using var instance = await LimitInstance.Start(
            null,
            LimitMode.Leased,
            ("Plans:free:Burst", "1000"),
            ("Plans:free:RequestsPerMinute", "1"),
            ("Tenants:acme:RateLimit:Burst", "40"),
            ("Tenants:acme:RateLimit:RequestsPerMinute", "1")
        );
        var set = instance.Set("alice", "acme");
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(DecisionOutcome.Admitted, (await instance.Decide(set)).Outcome);
        }

        for (var i = 0; i < 10; i++)
        {
            var refused = await instance.Decide(set);
            Assert.Equal((DecisionOutcome.Refused, "tenant"), (refused.Outcome, refused.Refusal!.Violated[0]));
        }

        await instance.Stop();
        var caller = set.Levels[0];
        var peek = await instance.Store.Take(set.Tag, [new(caller.Key, caller.Policy, 0, 0)]);
        Assert.Equal(960, peek.Levels[0].Units / BucketPolicy.UnitsPerToken);
    }
}
