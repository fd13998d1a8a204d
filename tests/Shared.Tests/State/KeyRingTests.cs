using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.State;

/// <summary>Tests of a key ring that hold on both engines.</summary>
[StoreSuite(typeof(IKeyRing))]
public abstract class KeyRingBehaviour
{
    private protected ManualTimeProvider Clock { get; } = new();

    private protected abstract Task<IKeyRing> Ring();

    protected async Task A_purpose_keeps_its_key_and_purposes_differ_()
    {
        var ring = await Ring();
        var key = await ring.Current("cursors");
        Assert.Equal(64, key.Material.Length);
        Assert.Equal(key.Id, (await ring.Current("cursors")).Id);
        Assert.NotEqual(key.Material.ToArray(), (await ring.Current("sync")).Material.ToArray());
        Assert.Equal(key.Material.ToArray(), (await ring.Find("cursors", key.Id))!.Material.ToArray());
        Assert.Null(await ring.Find("sync", key.Id));
        Assert.Null(await ring.Find("cursors", "nothing"));
        Assert.DoesNotContain(Convert.ToBase64String(key.Material.Span), key.ToString(), StringComparison.Ordinal);
    }

    protected async Task An_older_key_verifies_for_two_periods_more_()
    {
        var ring = await Ring();
        var first = await ring.Current("cursors");
        Clock.Advance(TimeSpan.FromDays(30));
        var second = await ring.Current("cursors");
        Assert.NotEqual(first.Id, second.Id);
        Assert.NotNull(await ring.Find("cursors", first.Id));
        Assert.Equal([second.Id, first.Id], (await ring.All("cursors")).Select(k => k.Id));
        Clock.Advance(TimeSpan.FromDays(30));
        Assert.NotNull(await ring.Find("cursors", first.Id));
        Clock.Advance(TimeSpan.FromDays(30));
        Assert.Null(await ring.Find("cursors", first.Id));
        Assert.NotNull(await ring.Find("cursors", second.Id));
    }

    protected async Task Callers_at_the_same_time_get_the_same_key_()
    {
        var ring = await Ring();
        var keys = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => ring.Current("sessions").AsTask())));
        Assert.Single(keys.Select(k => k.Id).Distinct());
    }
}

public sealed class EmbeddedKeyRingTests : KeyRingBehaviour
{
    private protected override async Task<IKeyRing> Ring() => (await StateEngines.Ready(null, Clock)).GetRequiredService<IKeyRing>();

    [Fact]
    public Task A_purpose_keeps_its_key_and_purposes_differ() => A_purpose_keeps_its_key_and_purposes_differ_();

    [Fact]
    public Task An_older_key_verifies_for_two_periods_more() => An_older_key_verifies_for_two_periods_more_();

    [Fact]
    public Task Callers_at_the_same_time_get_the_same_key() => Callers_at_the_same_time_get_the_same_key_();
}

public sealed class RedisKeyRingTests : KeyRingBehaviour, IDisposable
{
    private RedisServer? _server;

    private RedisServer Server => _server ??= RedisServer.Run();

    private protected override async Task<IKeyRing> Ring() =>
        (await StateEngines.Ready(Server.ConnectionString, Clock)).GetRequiredService<IKeyRing>();

    [RedisFact]
    public Task A_purpose_keeps_its_key_and_purposes_differ() => A_purpose_keeps_its_key_and_purposes_differ_();

    [RedisFact]
    public Task An_older_key_verifies_for_two_periods_more() => An_older_key_verifies_for_two_periods_more_();

    [RedisFact]
    public Task Callers_at_the_same_time_get_the_same_key() => Callers_at_the_same_time_get_the_same_key_();

    [RedisFact]
    public async Task Instances_share_keys_and_a_restart_of_all_keeps_them()
    {
        var key = await (await Ring()).Current("cursors");
        Assert.Equal(key.Id, (await (await Ring()).Current("cursors")).Id);
        Server.Stop();
        Server.Start();
        Assert.Equal(key.Id, (await (await Ring()).Current("cursors")).Id);
    }

    [RedisFact]
    public async Task A_known_key_is_served_while_Redis_is_away_and_given_back_to_one_that_lost_it()
    {
        var provider = await StateEngines.Ready(Server.ConnectionString, Clock);
        var ring = provider.GetRequiredService<IKeyRing>();
        var key = await ring.Current("cursors");
        Server.Freeze();
        Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(key.Id, (await ring.Current("cursors")).Id);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => ring.Current("sync").AsTask());
        Server.Continue();
        await RedisStateTests.Until(() => Task.FromResult(provider.GetRequiredService<RedisState>().IsAvailable));
        Server.FlushAll();
        Clock.Advance(TimeSpan.FromMinutes(2));
        await RedisStateTests.Until(async () =>
        {
            await ring.Current("cursors");
            Clock.Advance(TimeSpan.FromMinutes(2));
            return Server.Command("EXISTS", "bff:keys:{cursors}:" + key.Id.Split('-')[0]).StartsWith(":1", StringComparison.Ordinal);
        });
        Assert.Equal(key.Id, (await (await Ring()).Current("cursors")).Id);
    }

    public void Dispose() => _server?.Dispose();
}
