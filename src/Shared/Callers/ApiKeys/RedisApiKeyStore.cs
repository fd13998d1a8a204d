using System.Globalization;
using System.Text.Json;
using Bff.Audit;
using Bff.State;
using StackExchange.Redis;

namespace Bff.Callers.ApiKeys;

/// <summary>
/// Keeps keys in Redis. <c>bff:apikey:&lt;hash&gt;</c> holds the record that verification reads, <c>bff:apikeys:{tenant}</c> the tenant's
/// list, and <c>bff:apikeys:{tenant}:used</c> the last uses. The record decides whether a key is valid: it is written last and removed
/// first, and the same step publishes each change to all instances. The list is stored elsewhere in Redis and can be lost while the key
/// still works. <see cref="Touch"/> finds that out.
/// </summary>
internal sealed class RedisApiKeyStore : IApiKeyStore, IDisposable
{
    private static readonly TimeSpan KeptAfterExpiry = TimeSpan.FromMinutes(5);

    private static readonly RedisScript PutRecord = RedisScript.Durable(
        $"""
        if ARGV[4] == 'replace' and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
        if ARGV[2] == '0' then redis.call('SET', KEYS[1], ARGV[1]) else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
        {AuditOutbox.Write("KEYS[2]", "ARGV[6]")}
        redis.call('PUBLISH', ARGV[3], ARGV[5])
        return 1
        """
    );

    private static readonly RedisScript DropRecord = RedisScript.Durable(
        $"""
        if redis.call('DEL', KEYS[1]) == 1 then
          {AuditOutbox.Write("KEYS[2]", "ARGV[3]")}
        end
        redis.call('PUBLISH', ARGV[1], ARGV[2])
        return 1
        """
    );

    private static readonly RedisScript ReplaceListed = RedisScript.Durable(
        """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        return 1
        """
    );

    private static readonly RedisScript TouchListed = new(
        """
        local missing = {}
        for i = 1, #ARGV, 2 do
          if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0 then
            missing[#missing + 1] = ARGV[i]
          elseif tonumber(ARGV[i + 1]) > tonumber(redis.call('HGET', KEYS[2], ARGV[i]) or 0) then
            redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
          end
        end
        return missing
        """
    );

    private readonly RedisState _redis;
    private readonly TimeProvider _time;
    private readonly AuditOutbox? _audit;
    private readonly AnnouncementFeed _feed;
    private readonly IDisposable _listening;

    public RedisApiKeyStore(RedisState redis, Announcements announcements, TimeProvider time, AuditOutbox? audit = null)
    {
        (_redis, _time, _audit) = (redis, time, audit);
        _feed = announcements.Feed("apikeys", "bff:apikeys:changed");
        _listening = _feed.Listen(what => Changed?.Invoke(what ?? IApiKeyStore.Missed));
    }

    public event Action<string>? Changed;

    public async ValueTask<ApiKeyRecord?> Find(string hash, CancellationToken cancellation)
    {
        byte[]? json = await _redis.Run("GET", database => database.StringGetAsync(Record(hash)), cancellation);
        return json is null ? null : Read(json);
    }

    public async ValueTask<IReadOnlyList<ApiKeyRecord>> List(string tenant, CancellationToken cancellation)
    {
        var (listed, used) = await _redis.Run(
            "PIPELINE HGETALL",
            async database =>
            {
                var listed = database.HashGetAllAsync(Tenant(tenant));
                var used = database.HashGetAllAsync(Used(tenant));
                await Task.WhenAll(listed, used);
                return (listed.Result, used.Result);
            },
            cancellation
        );
        var uses = used.ToDictionary(u => (string)u.Name!, u => DateTimeOffset.FromUnixTimeSeconds((long)u.Value));
        var keys = listed.Select(l => Read(l.Value!)).OfType<ApiKeyRecord>().ToList();
        var forgotten = keys.Where(k => ApiKeyOrder.IsForgotten(k, _time)).ToList();
        foreach (var old in forgotten)
        {
            await Remove(old, cancellation);
        }

        return ApiKeyOrder.Newest(
            keys.Except(forgotten).Select(k => k with { LastUsedAt = uses.TryGetValue(k.Id, out var at) ? at : null })
        );
    }

    public async ValueTask Add(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null)
    {
        await _redis.Write("HSET", database => database.HashSetAsync(Tenant(key.Tenant), key.Id, Write(key)), cancellation);
        await Put(key, "add", IApiKeyStore.Added, audit, cancellation);
    }

    public async ValueTask<bool> Replace(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) =>
        (int)await _redis.Evaluate(ReplaceListed, [Tenant(key.Tenant)], [key.Id, Write(key)], cancellation) == 1
        && await Put(key, "replace", key.Id, audit, cancellation);

    public async ValueTask Remove(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null)
    {
        var step = await AuditOutbox.Begin(_audit, Record(key.Hash).ToString(), audit, cancellation);
        await _redis.Evaluate(
            DropRecord,
            [Record(key.Hash), step.Key],
            [_feed.Channel, await _feed.Note(key.Id, cancellation), step.Json],
            cancellation
        );
        await _redis.Write(
            "PIPELINE HDEL",
            async database =>
            {
                await Task.WhenAll(
                    database.HashDeleteAsync(Tenant(key.Tenant), key.Id),
                    database.HashDeleteAsync(Used(key.Tenant), key.Id)
                );
                return true;
            },
            cancellation
        );
        await AuditOutbox.Settle(_audit, step);
    }

    public async ValueTask<IReadOnlyList<string>> Touch(
        string tenant,
        IReadOnlyCollection<KeyValuePair<string, DateTimeOffset>> uses,
        CancellationToken cancellation
    )
    {
        RedisValue[] entries = [.. uses.SelectMany(u => (RedisValue[])[u.Key, u.Value.ToUnixTimeSeconds()])];
        return (string[])(await _redis.Evaluate(TouchListed, [Tenant(tenant), Used(tenant)], entries, cancellation))!;
    }

    public async ValueTask<bool> Relist(ApiKeyRecord key, CancellationToken cancellation)
    {
        if (
            await Find(key.Hash, cancellation) is not { } record
            || record.Id != key.Id
            || !await _redis.Run(
                "HSETNX",
                database => database.HashSetAsync(Tenant(record.Tenant), record.Id, Write(record), When.NotExists),
                cancellation
            )
        )
        {
            return false;
        }

        if (await Find(key.Hash, cancellation) is not null)
        {
            return true;
        }

        // The key was revoked in between.
        await _redis.Run("HDEL", database => database.HashDeleteAsync(Tenant(record.Tenant), record.Id), cancellation);
        return false;
    }

    public void Dispose() => _listening.Dispose();

    private async ValueTask<bool> Put(
        ApiKeyRecord key,
        string how,
        string message,
        IReadOnlyList<AuditEntry>? audit,
        CancellationToken cancellation
    )
    {
        // Redis deletes the key some time after its end. Every reader checks the end itself.
        var left = key.ExpiresAt is { } end ? end - _time.GetUtcNow() + KeptAfterExpiry : TimeSpan.Zero;
        var lifetime = key.ExpiresAt is null ? 0L : Math.Max(1L, (long)left.TotalMilliseconds);
        var step = await AuditOutbox.Begin(_audit, Record(key.Hash).ToString(), audit, cancellation);
        var note = await _feed.Note(message, cancellation);
        var result = await _redis.Evaluate(
            PutRecord,
            [Record(key.Hash), step.Key],
            [Write(key), lifetime.ToString(CultureInfo.InvariantCulture), _feed.Channel, how, note, step.Json],
            cancellation
        );
        if ((int)result != 1)
        {
            return false;
        }

        await AuditOutbox.Settle(_audit, step);
        return true;
    }

    private static RedisKey Record(string hash) => "bff:apikey:" + hash;

    private static RedisKey Tenant(string tenant) => $"bff:apikeys:{{{tenant}}}";

    private static RedisKey Used(string tenant) => $"bff:apikeys:{{{tenant}}}:used";

    private static byte[] Write(ApiKeyRecord key) => JsonSerializer.SerializeToUtf8Bytes(key, ApiKeyJson.Default.ApiKeyRecord);

    private static ApiKeyRecord? Read(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ApiKeyJson.Default.ApiKeyRecord);
        }
        catch (JsonException)
        {
            return null; // Not written by this code, or by a later version of it: not a key.
        }
    }
}
