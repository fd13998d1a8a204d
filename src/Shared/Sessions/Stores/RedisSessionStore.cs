using System.Globalization;
using Bff.Audit;
using Bff.State;
using StackExchange.Redis;

namespace Bff.Sessions.Stores;

/// <summary>
/// Stores sessions in Redis. Each session has a hash (<c>d</c> sealed record, <c>s</c> last seen, <c>e</c> end, <c>v</c> version), which
/// lives as long as the session, and a mark that outlives it by a day. Each user and each provider session has a sorted set of keys. The
/// keys of one script share a hash tag. A sign-out leaves a mark of <c>0</c> for as long as a sign-in may be under way, so that an ended
/// session is not added afterwards.
/// </summary>
internal sealed class RedisSessionStore(RedisState redis, Announcements announcements, TimeProvider time, AuditOutbox? outbox = null)
    : ISessionStore
{
    private static readonly TimeSpan MarkedFor = TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestAddition = TimeSpan.FromMinutes(5);

    private static readonly RedisScript AddScript = RedisScript.Durable(
        """
        if redis.call('GET', KEYS[2]) == '0' then return 0 end
        redis.call('SET', KEYS[2], '1', 'PX', ARGV[6])
        redis.call('HSET', KEYS[1], 'd', ARGV[1], 's', ARGV[2], 'e', ARGV[3], 'v', ARGV[4])
        local ends = redis.pcall('PEXPIRE', KEYS[1], ARGV[5])
        if type(ends) == 'table' then redis.call('DEL', KEYS[1]) end -- Refused: it is not handed out, and it would stay for ever.
        return ends
        """
    );

    private static readonly RedisScript FindScript = new(
        """
        local r = redis.call('HMGET', KEYS[1], 'd', 's', 'e', 'v')
        if not r[1] then return { redis.call('GET', KEYS[2]) == '1' and 1 or 0 } end
        local now, idle, touch = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local seen, ends = tonumber(r[2]), tonumber(r[3])
        if now >= ends or now >= seen + idle then return { 1 } end
        if touch >= 0 and now - seen >= touch then
          redis.call('HSET', KEYS[1], 's', ARGV[1])
          redis.call('PEXPIRE', KEYS[1], math.floor(math.min(ends - now, idle)))
          return { r[1], ARGV[1], r[3], r[4] }
        end
        return { r[1], r[2], r[3], r[4] }
        """
    );

    private static readonly RedisScript ReplaceScript = RedisScript.Durable(
        """
        if redis.call('HGET', KEYS[1], 'v') ~= ARGV[1] then return 0 end
        redis.call('HSET', KEYS[1], 'd', ARGV[2], 'e', ARGV[3], 'v', ARGV[4])
        return 1
        """
    );

    // The announcement comes first: if the server refuses it, nothing has ended.
    private static readonly RedisScript EndScript = RedisScript.Durable(
        $"""
        redis.call('PUBLISH', ARGV[1], ARGV[2])
        if redis.call('DEL', KEYS[1]) == 1 then
          {AuditOutbox.Write("KEYS[3]", "ARGV[5]")}
        end
        if ARGV[3] == '0' then redis.call('SET', KEYS[2], '0', 'PX', ARGV[4]) end
        return 1
        """
    );

    /// <summary>Adds a session to an index. The index lives a day longer than the newest of its sessions can.</summary>
    private static readonly RedisScript IndexScript = RedisScript.Durable(
        """
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
        redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
        local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
        redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last - ARGV[1] + ARGV[4]))
        return 1
        """
    );

    private static readonly RedisScript UnlockScript = new(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """
    );

    private readonly AnnouncementFeed _feed = announcements.Feed("sessions", "bff:sessions:ended");

    public IDisposable OnEnded(Action<string?> ended) => _feed.Listen(ended);

    public async Task Add(string key, StoredSession session, TimeSpan idle, IReadOnlyList<string> indexes)
    {
        var now = time.GetUtcNow();
        var left = session.EndsAt - now;

        // The indexes come first, so that a sign-out of all the user's sessions finds this one and ends it even before it is added.
        await Index(key, session.EndsAt, indexes);
        RedisKey[] keys = [Key(key), Mark(key)];
        await redis.Evaluate(
            AddScript,
            keys,
            [
                session.Box,
                Milliseconds(session.LastSeen),
                Milliseconds(session.EndsAt),
                session.Version,
                Life(left < idle ? left : idle),
                Life(left + MarkedFor),
            ]
        );
    }

    public async Task Index(string key, DateTimeOffset endsAt, IReadOnlyList<string> indexes)
    {
        foreach (var index in indexes)
        {
            await redis.Evaluate(
                IndexScript,
                [IndexKey(index)],
                [Milliseconds(time.GetUtcNow()), Milliseconds(endsAt), key, (long)MarkedFor.TotalMilliseconds]
            );
        }
    }

    public async Task<SessionFound> Find(string key, DateTimeOffset now, TimeSpan idle, TimeSpan? touchAfter)
    {
        var touch = touchAfter is { } after ? (long)after.TotalMilliseconds : -1;
        var found = (RedisResult[])
            (await redis.Evaluate(FindScript, [Key(key), Mark(key)], [Milliseconds(now), (long)idle.TotalMilliseconds, touch]))!;
        return found.Length == 1
            ? new SessionFound(null, (long)found[0] == 1)
            : new SessionFound(new StoredSession((byte[])found[0]!, Date(found[1]), Date(found[2]), (long)found[3]), false);
    }

    public async Task<bool> Replace(string key, byte[] box, DateTimeOffset endsAt, long version) =>
        (long)await redis.Evaluate(ReplaceScript, [Key(key)], [version, box, Milliseconds(endsAt), version + 1]) == 1;

    public async Task End(string key, bool leaveMark, IReadOnlyList<AuditEntry>? audit = null)
    {
        var step = await AuditOutbox.Begin(outbox, key, audit, default);
        await redis.Evaluate(
            EndScript,
            [Key(key), Mark(key), step.Key],
            [_feed.Channel, await _feed.Note(key), leaveMark ? "1" : "0", Life(LongestAddition), step.Json]
        );
        await AuditOutbox.Settle(outbox, step);
    }

    public async Task<IReadOnlyList<string>> Members(string index)
    {
        var members = await redis.Run(
            "ZRANGEBYSCORE",
            database =>
                database.SortedSetRangeByScoreAsync(IndexKey(index), Milliseconds(time.GetUtcNow()), flags: CommandFlags.DemandMaster)
        );
        return [.. members.Select(m => (string)m!)];
    }

    public Task Drop(string index, string key) => redis.Run("ZREM", database => database.SortedSetRemoveAsync(IndexKey(index), key));

    public Task<bool> TryLock(string key, string owner, TimeSpan life) => Take(LockKey(key), owner, life);

    public async Task Unlock(string key, string owner)
    {
        try
        {
            await Release(LockKey(key), owner);
        }
        catch (StoreUnavailableException)
        {
            redis.GiveBack(() => Release(LockKey(key), owner));
        }
    }

    public Task<bool> Spend(string name, TimeSpan life) => Take(SpentKey(name), SessionKey.NewId(), life);

    public Task<bool> IsSpent(string name) =>
        redis.Run("EXISTS", database => database.KeyExistsAsync(SpentKey(name), CommandFlags.DemandMaster));

    private async Task<bool> Take(RedisKey key, string owner, TimeSpan life)
    {
        try
        {
            return await redis.Write("SET", database => database.StringSetAsync(key, owner, life, When.NotExists));
        }
        catch (StoreUnavailableException)
        {
            redis.GiveBack(() => Release(key, owner)); // The key may have been set, or may still be set.
            throw;
        }
    }

    private async Task<bool> Release(RedisKey key, string owner) => (long)await redis.Evaluate(UnlockScript, [key], [owner]) == 1;

    private static RedisKey Key(string key) => $"bff:session:{{{key}}}";

    private static RedisKey Mark(string key) => $"bff:session:{{{key}}}:was";

    private static RedisKey LockKey(string key) => $"bff:session:{{{key}}}:lock";

    private static RedisKey SpentKey(string name) => "bff:spent:" + name;

    private static RedisKey IndexKey(string index) => "bff:sessions:" + index;

    private static long Milliseconds(DateTimeOffset date) => date.ToUnixTimeMilliseconds();

    private static long Life(TimeSpan span) => Math.Max(1, (long)span.TotalMilliseconds);

    private static DateTimeOffset Date(RedisResult milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(long.Parse((string)milliseconds!, CultureInfo.InvariantCulture));
}
