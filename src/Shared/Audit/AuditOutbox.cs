using System.Globalization;
using System.Text.Json;
using Bff.State;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Bff.Audit;

/// <summary>The audit entries that a script writes beside its change; none when <paramref name="Json"/> is empty.</summary>
/// <param name="Key">The key of the entries, in the cluster slot of the changed keys.</param>
/// <param name="Json">The entries as JSON.</param>
public readonly record struct AuditStep(RedisKey Key, RedisValue Json)
{
    /// <summary>Whether there is nothing to write.</summary>
    public bool IsEmpty => Json.IsNullOrEmpty;
}

/// <summary>
/// Writes a change and its audit entry in one step, although they are in different slots of a cluster. 1. Note what is about to be written.
/// 2. The script that makes the change writes its entry beside it. 3. Move the entry to the log. If an instance dies after 2, both exist
/// and another instance moves the entry. If it dies before 2, neither exists and the note is dropped.
/// </summary>
public sealed class AuditOutbox
{
    /// <summary>Returns script code that writes the entry of a change. The arguments are the script's names for key and value.</summary>
    public static string Write(string key, string json) => $"if {json} ~= '' then redis.call('SET', {key}, {json}, 'PX', 2592000000) end";

    private const int MostAtOnce = 100;
    private static readonly TimeSpan LongestChange = TimeSpan.FromMinutes(10);
    internal static readonly RedisKey Log = "bff:{audit}:log";
    private static readonly RedisKey Pending = "bff:{audit}:pending";

    /// <summary>
    /// KEYS: the log, the tenant's log. ARGV: the entry, the oldest id to keep, the number of entries to keep, the milliseconds to keep
    /// them.
    /// </summary>
    private static readonly RedisScript AddScript = RedisScript.Durable(
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

    /// <summary>Creates an outbox in the Redis that the instances share.</summary>
    public AuditOutbox(RedisState redis, IOptions<AuditOptions> options, TimeProvider time, ILoggerFactory logging)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_redis, _options, _time, _lines) = (redis, options.Value, time, new(logging));
    }

    /// <summary>1. Notes what is about to be written. Costs nothing without entries.</summary>
    /// <param name="slot">The hash tag of the changed keys, or the whole key when it has none.</param>
    /// <param name="entries">The entries of the change.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="StoreUnavailableException">Redis is unavailable. The change must not be made.</exception>
    public async Task<AuditStep> Begin(string slot, IReadOnlyList<AuditEntry>? entries, CancellationToken cancellation)
    {
        if (entries is not [var first, ..])
        {
            return Nothing(slot);
        }

        var key = $"bff:audit:{{{slot}}}:{first.Id}";
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        await _redis.Write("ZADD", database => database.SortedSetAddAsync(Pending, key, now), cancellation);
        return new(key, JsonSerializer.SerializeToUtf8Bytes(entries, AuditJson.Default.IReadOnlyListAuditEntry));
    }

    /// <summary>
    /// Calls <see cref="Begin(string, IReadOnlyList{AuditEntry}, CancellationToken)"/>. A store without an outbox writes no entries.
    /// </summary>
    public static Task<AuditStep> Begin(
        AuditOutbox? outbox,
        string slot,
        IReadOnlyList<AuditEntry>? entries,
        CancellationToken cancellation
    ) => outbox is null ? Task.FromResult(Nothing(slot)) : outbox.Begin(slot, entries, cancellation);

    /// <summary>Calls <see cref="Settle(AuditStep)"/> when there is an outbox.</summary>
    public static Task Settle(AuditOutbox? outbox, AuditStep step) => outbox is null ? Task.CompletedTask : outbox.Settle(step);

    /// <summary>3. Moves the entries to the log. While Redis is unavailable, any instance does this later.</summary>
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
            // The note remains, so the next round moves the entries.
        }
    }

    /// <summary>Moves entries that other instances have left. The note of a change that was never made is dropped.</summary>
    /// <exception cref="StoreUnavailableException">Redis is unavailable.</exception>
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

    /// <summary>Moves entries to the log. In this order an interrupted move is repeated, and an entry is in the log only once.</summary>
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
