using Bff.Caching;
using Bff.TestKit;

namespace Bff.Shared.Tests.Caching;

public sealed class FragmentMemoryTests
{
    private readonly TagGenerations _generations = new();

    [Fact]
    public void Memory_stays_within_its_size_and_keeps_fragments_in_use()
    {
        var memory = new FragmentMemory(256 * 1024);
        var hot = Key("hot");
        memory.Keep(hot, Entry(1000));
        for (var i = 0; i < 10_000; i++)
        {
            memory.Keep(Key("cold" + i), Entry(1000));
            Assert.InRange(memory.Bytes, 0, 256 * 1024);
            Assert.NotNull(memory.Find<Item>(hot));
        }

        Assert.Null(memory.Find<Item>(Key("cold0")));
        Assert.NotNull(memory.Find<Item>(Key("cold9999")));
    }

    [Fact]
    public void A_fragment_that_is_replaced_many_times_counts_its_size_once()
    {
        var memory = new FragmentMemory(256 * 1024);
        memory.Keep(Key("one"), Entry(1000));
        var once = memory.Bytes;
        for (var i = 0; i < 1000; i++)
        {
            memory.Keep(Key("one"), Entry(1000));
        }

        Assert.Equal(once, memory.Bytes);
        memory.Clear();
        Assert.Equal(0, memory.Bytes);
    }

    [Fact]
    public void A_fragment_that_would_evict_the_others_is_not_kept()
    {
        var memory = new FragmentMemory(256 * 1024);
        memory.Keep(Key("big"), Entry(100_000));
        Assert.Null(memory.Find<Item>(Key("big")));
    }

    [Fact]
    public async Task A_hit_allocates_nothing()
    {
        await using var instance = await CacheInstance.Start(null, TimeProvider.System);
        var request = Fragments.Unique(CacheScope.Caller) with { Fresh = TimeSpan.FromHours(1) };
        await instance.Cache.Get(request, new Upstream().Fetch, default);
        var rounds = new List<long>();
        while (rounds.Count < 20 && !rounds.Contains(0)) // The first rounds include allocations of the just-in-time compiler.
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var hits = 0;
            for (var i = 0; i < 1000; i++)
            {
                hits += instance.Cache.TryGet(request, out _) ? 1 : 0;
            }

            rounds.Add(GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(1000, hits);
        }

        Assert.Contains(0, rounds);
    }

    [Fact]
    public async Task Reads_are_counted_by_result_and_scope()
    {
        await using var instance = await CacheInstance.Start(null, new ManualTimeProvider());
        var cache = instance.Cache;
        var seen = new List<string>();
        using var listener = instance.Services.Listen("bff.cache.requests");
        listener.SetMeasurementEventCallback<long>(
            (_, _, tags, _) => seen.Add($"{tags[0].Key}={tags[0].Value} {tags[1].Key}={tags[1].Value}")
        );
        listener.Start();
        var request = Fragments.Unique(CacheScope.Tenant);

        await cache.Get(request, new Upstream().Fetch, default);
        await cache.Get(request, new Upstream().Fetch, default);

        Assert.Equal(["result=miss scope=tenant", "result=hit scope=tenant"], seen);
    }

    private static FragmentKey Key(string key) =>
        FragmentKey.TryMake(Fragments.Unique() with { Key = key }, out var made) ? made : throw new InvalidOperationException();

    private FragmentEntry<Item> Entry(int bytes) => new(new("x"), new byte[bytes], 0, _generations.Capture([]));
}
