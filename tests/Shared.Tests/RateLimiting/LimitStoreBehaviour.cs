using Bff.RateLimiting;
using Bff.Tenancy;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>Tests the limit store on every engine. A rate of 1 per minute stands for no refill within a test.</summary>
public abstract class LimitStoreBehaviour
{
    private protected abstract Task<ILimitStore> Store();

    /// <summary>Lets at least the given time of the store's clock pass.</summary>
    private protected abstract Task Pass(TimeSpan time);

    /// <summary>Sets the store's clock back, as seen from one bucket.</summary>
    private protected abstract Task StepBack(string tag, string key, TimeSpan by);

    private static LevelDemand Spend(string key, BucketPolicy policy, long tokens = 1) => new(key, policy, tokens, tokens);

    protected async Task A_full_bucket_admits_its_burst_and_then_what_refills_()
    {
        var store = await Store();
        var policy = new BucketPolicy("burst", 5, 60_000); // One token per millisecond.
        var slow = new BucketPolicy("burst", 5, 1);
        for (var i = 4; i >= 0; i--)
        {
            var answer = await store.Take("a", [Spend("slow", slow)]);
            Assert.True(answer.IsAdmitted);
            Assert.Equal(i, answer.Levels[0].Units / BucketPolicy.UnitsPerToken);
        }

        Assert.False((await store.Take("a", [Spend("slow", slow)])).IsAdmitted);
        Assert.True((await store.Take("a", [Spend("fast", policy, 5)])).IsAdmitted);
        await Pass(TimeSpan.FromMilliseconds(20));
        Assert.True((await store.Take("a", [Spend("fast", policy, 5)])).IsAdmitted);
        Assert.False((await store.Take("a", [Spend("slow", slow)])).IsAdmitted);
    }

    protected async Task A_level_that_refuses_takes_nothing_from_the_others_()
    {
        var store = await Store();
        var (wide, narrow) = (new BucketPolicy("burst", 10, 1), new BucketPolicy("tenant", 1, 1));
        Assert.True((await store.Take("a", [Spend("wide", wide), Spend("narrow", narrow)])).IsAdmitted);
        for (var i = 0; i < 3; i++)
        {
            var refused = await store.Take("a", [Spend("wide", wide), Spend("narrow", narrow)]);
            Assert.False(refused.IsAdmitted);
            Assert.All(refused.Levels, l => Assert.Equal(0, l.Taken));
        }

        Assert.Equal(9, (await store.Take("a", [new("wide", wide, 0, 100)])).Levels[0].Taken);
    }

    protected async Task Wanted_tokens_are_taken_as_far_as_available_and_can_be_returned_()
    {
        var store = await Store();
        var policy = new BucketPolicy("burst", 10, 1, PerDay: 100);
        Assert.Equal(7, (await store.Take("a", [new("b", policy, 0, 7)])).Levels[0].Taken);
        var rest = await store.Take("a", [new("b", policy, 1, 7)]);
        Assert.Equal((3, 10), (rest.Levels[0].Taken, rest.Levels[0].Used));
        var day = rest.NowMicros / BucketPolicy.MicrosPerDay;
        var back = await store.Take("a", [new("b", policy, 0, 0, 4, day)]);
        Assert.Equal((4, 6), (back.Levels[0].Units / BucketPolicy.UnitsPerToken, back.Levels[0].Used));
        back = await store.Take("a", [new("b", policy, 0, 0, 2, day - 1)]);
        Assert.Equal((6, 6), (back.Levels[0].Units / BucketPolicy.UnitsPerToken, back.Levels[0].Used));
        Assert.Equal(10, (await store.Take("a", [new("b", policy, 0, 0, 1_000, day)])).Levels[0].Units / BucketPolicy.UnitsPerToken);
        Assert.False((await store.Take("a", [new("b", policy, 11, 11)])).IsAdmitted);
    }

    protected async Task The_daily_quota_ends_admission_and_overage_continues_to_its_ceiling_and_is_counted_()
    {
        var store = await Store();
        var strict = new BucketPolicy("burst", 100, 1, PerDay: 3);
        Assert.True((await store.Take("t:a", [Spend("strict", strict, 3)])).IsAdmitted);
        Assert.False((await store.Take("t:a", [Spend("strict", strict)])).IsAdmitted);
        Assert.Empty(await store.Overage("t:a"));

        var billed = new BucketPolicy("burst", 100, 1, PerDay: 3, DayCeiling: 6);
        for (var i = 1; i <= 6; i++)
        {
            Assert.True((await store.Take("t:a", [Spend("billed", billed)])).IsAdmitted);
        }

        var refused = await store.Take("t:a", [Spend("billed", billed)]);
        Assert.False(refused.IsAdmitted);
        Assert.Equal(3, Assert.Single(await store.Overage("t:a")).Value);
        await store.Take("t:a", [new("billed", billed, 0, 0, 2, refused.NowMicros / BucketPolicy.MicrosPerDay)]);
        Assert.Equal(1, Assert.Single(await store.Overage("t:a")).Value);
        Assert.Empty(await store.Overage("t:b"));
    }

    protected async Task A_bucket_made_smaller_holds_no_more_than_its_new_size_()
    {
        var store = await Store();
        Assert.True((await store.Take("a", [Spend("b", new("burst", 1_000, 1))])).IsAdmitted);
        Assert.Equal(5, (await store.Take("a", [new("b", new("burst", 5, 1), 0, 100)])).Levels[0].Taken);
    }

    protected async Task Concurrent_callers_get_no_more_tokens_than_the_bucket_has_()
    {
        var store = await Store();
        var policy = new BucketPolicy("burst", 50, 1);
        var admitted = await Task.WhenAll(
            Enumerable.Range(0, 200).Select(_ => Task.Run(async () => (await store.Take("a", [Spend("b", policy)])).IsAdmitted))
        );
        Assert.Equal(50, admitted.Count(a => a));
    }

    protected async Task A_clock_step_back_adds_no_tokens_and_refilling_continues_()
    {
        var store = await Store();
        var policy = new BucketPolicy("burst", 5, 60_000); // One token per millisecond.
        var slow = new BucketPolicy("burst", 5, 1, PerDay: 5);
        Assert.True((await store.Take("a", [Spend("fast", policy, 5), Spend("slow", slow, 5)])).IsAdmitted);
        await StepBack("a", "fast", TimeSpan.FromHours(30));
        await StepBack("a", "slow", TimeSpan.FromHours(30));

        var stepped = await store.Take("a", [Spend("slow", slow)]);
        Assert.False(stepped.IsAdmitted);
        // The step back brings neither tokens nor a new day.
        Assert.Equal((0, 5), (stepped.Levels[0].Units / BucketPolicy.UnitsPerToken, stepped.Levels[0].Used));
        Assert.False((await store.Take("a", [Spend("fast", policy, 5)])).Levels[0].Taken > 0);
        await Pass(TimeSpan.FromMilliseconds(20));
        Assert.True((await store.Take("a", [Spend("fast", policy, 5)])).IsAdmitted);
    }
}
