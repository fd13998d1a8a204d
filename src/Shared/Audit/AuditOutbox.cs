using System.Globalization;
using System.Text.Json;
using Bff.State;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Bff.Audit;

/// <summary>What a script writes beside its change: nothing when <paramref name="Json"/> is empty.</summary>
/// <param name="Key">In the slot of what is changed.</param>
/// <param name="Json">The entries.</param>
public readonly record struct AuditStep(RedisKey Key, RedisValue Json)
{
    /// <summary>Whether there is anything to write.</summary>
    public bool IsEmpty => Json.IsNullOrEmpty;
}

/// <summary>
/// Makes an entry and its change one step, although they live in different slots of a cluster. 1. What is about to be written is noted; 2.
/// the script that makes the change writes its entry beside it; 3. the entry moves to the log. An instance that dies after 2 leaves both,
/// and another one moves the entry; one that dies before leaves neither, and the note is dropped.
/// </summary>
public sealed class AuditOutbox
{
    /// <summary>For a script: writes the entry of its change. The names are those of the key and the value.</summary>
    public static string Write(string key, string json) => $"if {json} ~= '' then redis.call('SET', {key}, {json}, 'PX', 2592000000) end";

    private const int MostAtOnce = 100;
    private static readonly TimeSpan LongestChange = TimeSpan.FromMinutes(10);
    internal static readonly RedisKey Log = "bff:{audit}:log";
    private static readonly RedisKey Pending = "bff:{audit}:pending";

    /// <summary>KEYS: the log, the tenant's. ARGV: entry, the oldest id kept, entries kept, milliseconds kept.</summary>
    private static readonly RedisScript AddScript = new(
        """
        local added = redis.call('ZADD', KEYS[1], 'NX', 0, ARGV[1])
        redis.call('ZADD', KEYS[2], 'NX', 0, ARGV[1])
        for i = 1, 2 do
          redis.call('ZREMRANGEBYLEX', KEYS[i], '-', '(' .. ARGV[2])
          redis.call('ZREMRANGEBYRANK', KEYS[i], 0, -1 - ARGV[3])
          redis.call('PEXPIRE', KEYS[i], ARGV[4])
        end
        return added
        """
    );

    private readonly RedisState _redis;
    private readonly AuditOptions _options;
    private readonly TimeProvider _time;
    private readonly AuditLines _lines;

    /// <summary>Over the instances' Redis.</summary>
    public AuditOutbox(RedisState redis, IOptions<AuditOptions> options, TimeProvider time, ILoggerFactory logging)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_redis, _options, _time, _lines) = (redis, options.Value, time, new(logging));
    }

    /// <summary>1. Notes what is about to be written. What has no entries costs nothing.</summary>
    /// <param name="slot">The hash tag of the changed keys; a whole key where it has none.</param>
    /// <param name="entries">Of the change.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <exception cref="StoreUnavailableException">Redis is away: the change must not happen.</exception>
    public async Task<AuditStep> Begin(string slot, IReadOnlyList<AuditEntry>? entries, CancellationToken cancellation)
    {
        if (entries is not [var first, ..])
        {
            return Nothing(slot);
        }

        var key = $"bff:audit:{{{slot}}}:{first.Id}";
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        await _redis.Run("ZADD", database => database.SortedSetAddAsync(Pending, key, now), cancellation);
        return new(key, JsonSerializer.SerializeToUtf8Bytes(entries, AuditJson.Default.IReadOnlyListAuditEntry));
    }

    /// <summary>
    /// As <see cref="Begin(string, IReadOnlyList{AuditEntry}, CancellationToken)"/>; a store without an outbox writes no entries.
    /// </summary>
    public static Task<AuditStep> Begin(
        AuditOutbox? outbox,
        string slot,
        IReadOnlyList<AuditEntry>? entries,
        CancellationToken cancellation
    ) => outbox is null ? Task.FromResult(Nothing(slot)) : outbox.Begin(slot, entries, cancellation);

    /// <summary>As <see cref="Settle(AuditStep)"/>, where there is an outbox.</summary>
    public static Task Settle(AuditOutbox? outbox, AuditStep step) => outbox is null ? Task.CompletedTask : outbox.Settle(step);

    /// <summary>3. Moves the entries to the log. While Redis is away that is done later, by any instance.</summary>
    public async Task Settle(AuditStep step)
    {
        if (step.IsEmpty)
        {
            return;
        }

        try
        {
            await Move(step.Key, CancellationToken.None);
        }
        catch (StoreException)
        {
            // Noted: the next round does it.
        }
    }

    /// <summary>Moves what others have left. An entry whose change never came is forgotten.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    internal async Task SettleOthers(TimeSpan olderThan, CancellationToken cancellation)
    {
        var now = _time.GetUtcNow();
        var noted = await _redis.Run(
            "ZRANGEBYSCORE",
            database =>
                database.SortedSetRangeByScoreWithScoresAsync(Pending, stop: (now - olderThan).ToUnixTimeMilliseconds(), take: MostAtOnce),
            cancellation
        );
        foreach (var note in noted)
        {
            var isLate = now - DateTimeOffset.FromUnixTimeMilliseconds((long)note.Score) > LongestChange;
            if (!await Move((string)note.Element!, cancellation) && isLate)
            {
                await _redis.Run("ZREM", database => database.SortedSetRemoveAsync(Pending, note.Element), cancellation);
            }
        }
    }

    internal async Task Add(AuditEntry entry, CancellationToken cancellation)
    {
        var oldest = new AuditQuery(Since: _time.GetUtcNow() - _options.Retention).FirstId;
        var added = await _redis.Evaluate(
            AddScript,
            [Log, OfTenant(entry.Tenant)],
            [
                entry.Id + JsonSerializer.Serialize(entry, AuditJson.Default.AuditEntry),
                oldest,
                _options.MaxEntries.ToString(CultureInfo.InvariantCulture),
                (long)_options.Retention.TotalMilliseconds,
            ],
            cancellation
        );
        if ((int)added == 1)
        {
            _lines.Write([entry]);
        }
    }

    private static AuditStep Nothing(string slot) => new($"bff:audit:{{{slot}}}:none", "");

    internal static RedisKey OfTenant(string? tenant) => "bff:{audit}:of:" + tenant;

    /// <summary>In this order: who dies in between has it done again, and an entry is in the log once.</summary>
    private async Task<bool> Move(RedisKey key, CancellationToken cancellation)
    {
        byte[]? json = await _redis.Run("GET", database => database.StringGetAsync(key, CommandFlags.DemandMaster), cancellation);
        if (json is null)
        {
            return false;
        }

        foreach (var entry in JsonSerializer.Deserialize(json, AuditJson.Default.IReadOnlyListAuditEntry) ?? [])
        {
            await Add(entry, cancellation);
        }

        await _redis.Run("ZREM", database => database.SortedSetRemoveAsync(Pending, key.ToString()), cancellation);
        await _redis.Run("DEL", database => database.KeyDeleteAsync(key), cancellation);
        return true;
    }
}
