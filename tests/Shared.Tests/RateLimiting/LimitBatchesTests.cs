using System.Globalization;
using System.Text.RegularExpressions;
using Bff.RateLimiting;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.Tenancy;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>Tests requests that are decided together in one call of the store.</summary>
public sealed partial class LimitBatchesTests : IDisposable
{
    private const string Prefix = "bff:limits:Batches:{";
    private static readonly BucketPolicy Policy = new("burst", 2, 1);

    private readonly List<IThreadPoolWorkItem> _deferred = [];
    private readonly RedisServer _server = RedisServer.Run();
    private ServiceProvider? _provider;

    [RedisFact]
    public async Task Requests_during_a_call_are_decided_by_the_next_call()
    {
        var batches = await Batches();
        var before = Calls();
        _server.Freeze();
        var alone = Take(batches, "a");
        Task<StoreAnswer>[] together = [Take(batches, "a"), Take(batches, "t:b"), Take(batches, "a"), Take(batches, "c")];
        _server.Continue();
        await alone; // The remaining work waits for the thread pool only.
        Assert.Single(_deferred).Execute();

        var answers = await Task.WhenAll(together);
        Assert.Equal([true, true, false, true], answers.Select(a => a.IsAdmitted));
        Assert.Equal([0, 1, 0, 1], answers.Select(a => a.Levels[0].Units / BucketPolicy.UnitsPerToken));
        Assert.Equal(2, Calls() - before);
    }

    [RedisFact]
    public async Task A_bucket_that_cannot_be_read_fails_only_its_own_request()
    {
        var batches = await Batches();
        _server.Command("SET", Prefix + "broken}:b", "no hash");
        _server.Freeze();
        var alone = Take(batches, "a");
        Task<StoreAnswer>[] together = [Take(batches, "a"), Take(batches, "broken"), Take(batches, "c")];
        _server.Continue();
        await alone;
        Assert.Single(_deferred).Execute();

        Assert.True((await together[0]).IsAdmitted);
        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => together[1]);
        Assert.StartsWith("WRONGTYPE", refused.InnerException!.Message, StringComparison.Ordinal);
        Assert.True((await together[2]).IsAdmitted);
    }

    [RedisFact]
    public async Task A_bucket_that_the_Redis_user_may_not_access_fails_only_its_own_request()
    {
        var batches = await Batches();
        _server.Command("ACL", "SETUSER", "bff", "resetkeys", "~" + Prefix + "a}*", "~" + Prefix + "c}*");
        _server.Freeze();
        var alone = Take(batches, "a");
        Task<StoreAnswer>[] together = [Take(batches, "a"), Take(batches, "foreign"), Take(batches, "c")];
        _server.Continue();
        await alone;
        Assert.Single(_deferred).Execute();

        Assert.True((await together[0]).IsAdmitted);
        await Assert.ThrowsAsync<StoreRefusedException>(() => together[1]);
        Assert.True((await together[2]).IsAdmitted);
    }

    [RedisFact]
    public async Task A_full_batch_is_sent_at_once()
    {
        var batches = await Batches();
        var before = Calls();
        _server.Freeze();
        var asked = Enumerable.Range(0, 65).Select(i => Take(batches, i.ToString(CultureInfo.InvariantCulture))).ToList();
        _server.Continue();

        Assert.All(await Task.WhenAll(asked), a => Assert.True(a.IsAdmitted));
        Assert.Equal(2, Calls() - before);
        Assert.Single(_deferred).Execute(); // Finds no waiting requests.
        Assert.Equal(2, Calls() - before);
    }

    public void Dispose()
    {
        _provider?.Dispose();
        _server.Dispose();
    }

    private static Task<StoreAnswer> Take(LimitBatches batches, string tag) => batches.Take(tag, [new("b", Policy, 1, 1)]);

    /// <summary>Creates batches and calls the script once, so that the server knows it.</summary>
    private async Task<LimitBatches> Batches()
    {
        _provider = await StateEngines.Ready(_server.ConnectionString);
        var batches = new LimitBatches(_provider.GetRequiredService<RedisState>(), Prefix, _deferred.Add);
        await Take(batches, "first");
        return batches;
    }

    private int Calls() =>
        int.Parse(CallsOfScripts().Match(_server.Command("INFO", "commandstats")).Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("cmdstat_evalsha:calls=([0-9]+)")]
    private static partial Regex CallsOfScripts();
}
