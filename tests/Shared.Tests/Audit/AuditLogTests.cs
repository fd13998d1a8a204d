using Bff.Audit;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Audit;

/// <summary>Tests the audit log on both engines.</summary>
[StoreSuite(typeof(IAuditLog))]
public sealed class AuditLogTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    private static readonly RedisScript Change = new(
        $"""
        redis.call('SET', KEYS[1], 'changed')
        {AuditOutbox.Write("KEYS[2]", "ARGV[1]")}
        return 1
        """
    );

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Entries_are_listed_newest_first_in_pages_and_filtered_by_tenant_actor_action_and_time(string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        var time = new ManualTimeProvider(Now);
        await using var services = await Ready(redis?.ConnectionString, time);
        var log = services.GetRequiredService<IAuditLog>();
        for (var i = 0; i < 6; i++)
        {
            var by = new ChangedBy(i % 2 == 0 ? "user:ann" : "client:ops", "r-" + i, Now.AddMinutes(i));
            await log.Add(
                [
                    by.Entry(
                        i < 3 ? "key.created" : "key.deleted",
                        i == 5 ? "globex" : "acme",
                        "key_" + i,
                        null,
                        AuditFacts.Of(("name", "n" + i), ("scopes", new[] { "a" }))
                    ),
                ],
                default
            );
        }

        async Task<string> Found(AuditQuery query, string? before = null, int count = 10) =>
            string.Join(' ', (await log.Read(query, before, count, default)).Entries.Select(e => e.Target[^1]));

        Assert.Equal("5 4 3 2 1 0", await Found(new()));
        Assert.Equal("4 3 2 1 0", await Found(new("acme")));
        Assert.Equal("4 2 0", await Found(new(Actor: "user:ann")));
        Assert.Equal("4 3", await Found(new("acme", Action: "key.deleted")));
        Assert.Equal("5 4", await Found(new(Since: Now.AddMinutes(4))));
        var atOnce = new ChangedBy("user:bob", null, Now.AddMinutes(9));
        foreach (var n in Enumerable.Range(0, 9))
        {
            await log.Add([atOnce.Entry("key.deleted", "umbrella", "key_" + n)], default);
        }

        Assert.Equal("8 7 6 5 4 3 2 1 0", await Found(new("umbrella")));
        var first = (await log.Read(new(Action: "key.deleted", Tenant: "globex"), null, 2, default)).Entries;
        Assert.Equal("4 3", await Found(new(), first[^1].Id, 2));
        Assert.Equal(
            ("client:ops", "r-5", """{"name":"n5","scopes":["a"]}"""),
            (first[0].Actor, first[0].RequestId, first[0].After.ToString())
        );
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Entries_beyond_the_retention_time_or_the_maximum_number_are_removed(string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        var time = new ManualTimeProvider(Now);
        await using var services = await Ready(
            redis?.ConnectionString,
            time,
            ("Audit:MaxEntries", "100"),
            ("Audit:Retention", "2.00:00:00")
        );
        var log = services.GetRequiredService<IAuditLog>();
        Task Add(string target) =>
            log.Add([new ChangedBy("user:ann", null, time.GetUtcNow()).Entry("key.created", "acme", target)], default);
        await Add("old");
        time.Advance(TimeSpan.FromDays(3));
        await Add("first");
        Assert.Equal(["first"], (await log.Read(new("acme"), null, 10, default)).Entries.Select(e => e.Target));
        for (var i = 0; i < 100; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(2));
            await Add("k" + i);
        }

        Assert.Equal(100, (await log.Read(new("acme"), null, 1000, default)).Entries.Count);
        Assert.DoesNotContain((await log.Read(new(), null, 1000, default)).Entries, e => e.Target == "first");
    }

    [Fact]
    public void An_entry_replaces_an_email_address_by_the_same_pseudonym_everywhere()
    {
        var entry = new ChangedBy("user:u-1", null, Now).Entry(
            "subject.revoked",
            null,
            "jane.doe@example.org",
            null,
            AuditFacts.Of(("name", "for Jane <jane.doe@example.org>, urgent"))
        );
        Assert.DoesNotContain("jane.doe", entry.Target + entry.After, StringComparison.Ordinal);
        Assert.Contains(entry.Target, entry.After.ToString(), StringComparison.Ordinal);
        Assert.EndsWith(">, urgent\"}", entry.After.ToString(), StringComparison.Ordinal);
    }

    /// <summary>
    /// A crash before the script leaves neither the change nor its entry. A crash after the script leaves both, and another instance moves
    /// the entry once and writes its log line.
    /// </summary>
    [RedisFact]
    public async Task A_crash_leaves_both_the_change_and_its_entry_or_neither()
    {
        using var redis = RedisServer.Run();
        var time = new ManualTimeProvider(Now);
        await using var dying = await Ready(redis.ConnectionString, time);
        var recorder = new LogRecorder();
        await using var living = await Ready(redis.ConnectionString, time, recorder);
        var by = new ChangedBy("user:ann", "r-1", Now);
        var outbox = dying.GetRequiredService<AuditOutbox>();

        await outbox.Begin("thing", [by.Entry("thing.changed", "acme", "never")], default);
        var done = await outbox.Begin(
            "thing",
            [by.Entry("thing.changed", "acme", "done"), by.Entry("thing.told", "acme", "done too")],
            default
        );
        await dying.GetRequiredService<RedisState>().Evaluate(Change, ["bff:{thing}", done.Key], [done.Json]);
        await dying.DisposeAsync();

        var log = living.GetRequiredService<IAuditLog>();
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(
                ["done", "done too"],
                (await log.Read(new("acme"), null, 10, default)).Entries.Select(e => e.Target).Order(StringComparer.Ordinal)
            );
        }

        Assert.Equal(2, recorder.Entries.Count(l => l.Category == "Bff.Audit"));
        Assert.Equal(1, await PendingCount());
        time.Advance(TimeSpan.FromMinutes(11));
        await living.GetRequiredService<AuditOutbox>().SettleOthers(TimeSpan.FromSeconds(10), default);
        Assert.Equal(0, await PendingCount());

        Task<long> PendingCount() =>
            living
                .GetRequiredService<RedisState>()
                .Run("ZRANGE", async database => (await database.SortedSetRangeByRankAsync("bff:{audit}:pending")).LongLength);
    }

    private static Task<ServiceProvider> Ready(string? redis, TimeProvider time, params (string Key, string Value)[] settings) =>
        Ready(redis, time, null, settings);

    private static async Task<ServiceProvider> Ready(
        string? redis,
        TimeProvider time,
        LogRecorder? log,
        params (string Key, string Value)[] settings
    ) =>
        await StateEngines.Ready(
            StateEngines.Provider(
                redis,
                time,
                log: log,
                more: builder =>
                {
                    builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)));
                    builder.AddAudit();
                }
            )
        );
}
