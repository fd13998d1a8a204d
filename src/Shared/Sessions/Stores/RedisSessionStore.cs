using System.Globalization;
using Bff.State;
using StackExchange.Redis;

namespace Bff.Sessions;

/// <summary>
/// Per session a hash (<c>d</c> sealed record, <c>s</c> last seen, <c>e</c> end, <c>v</c> version; lives as long as the session) and a mark that
/// outlives it by a day; per user and provider session a sorted set of keys. What one script touches shares a hash tag.
/// </summary>
internal sealed class RedisSessionStore(RedisState redis, TimeProvider time) : ISessionStore
{
    private static readonly TimeSpan MarkedFor = TimeSpan.FromDays(1);

    private static readonly RedisScript AddScript = new("""
        redis.call('HSET', KEYS[1], 'd', ARGV[1], 's', ARGV[2], 'e', ARGV[3], 'v', ARGV[4])
        redis.call('PEXPIRE', KEYS[1], ARGV[5])
        redis.call('SET', KEYS[2], '1', 'PX', ARGV[6])
        return 1
        """);

    private static readonly RedisScript FindScript = new("""
        local r = redis.call('HMGET', KEYS[1], 'd', 's', 'e', 'v')
        if not r[1] then return { redis.call('EXISTS', KEYS[2]) } end
        local now, idle, touch = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local seen, ends = tonumber(r[2]), tonumber(r[3])
        if now >= ends or now >= seen + idle then return { 1 } end
        if touch >= 0 and now - seen >= touch then
          redis.call('HSET', KEYS[1], 's', ARGV[1])
          redis.call('PEXPIRE', KEYS[1], math.floor(math.min(ends - now, idle)))
          return { r[1], ARGV[1], r[3], r[4] }
        end
        return { r[1], r[2], r[3], r[4] }
        """);

    private static readonly RedisScript ReplaceScript = new("""
        if redis.call('HGET', KEYS[1], 'v') ~= ARGV[1] then return 0 end
        redis.call('HSET', KEYS[1], 'd', ARGV[2], 'e', ARGV[3], 'v', ARGV[4])
        return 1
        """);

    private static readonly RedisScript UnlockScript = new("""
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """);

    public async Task Add(string key, StoredSession session, TimeSpan idle, IReadOnlyList<string> indexes)
    {
        var now = time.GetUtcNow();
        var left = session.EndsAt - now;

        // The indexes first: whoever ends all sessions of a user while this one begins leaves it out of the index, which is looked at last.
        foreach (var index in indexes)
        {
            await redis.Run("PIPELINE", database => Index(database, index, key, now, session.EndsAt));
        }

        RedisKey[] keys = [Key(key), Mark(key)];
        await redis.Evaluate(AddScript, keys,
        [
            session.Box, Milliseconds(session.LastSeen), Milliseconds(session.EndsAt), session.Version, Life(left < idle ? left : idle), Life(left + MarkedFor),
        ]);
        foreach (var index in indexes)
        {
            if (await redis.Run("ZSCORE", database => database.SortedSetScoreAsync(IndexKey(index), key, CommandFlags.DemandMaster)) is null)
            {
                await End(key, leaveMark: false);
            }
        }
    }

    public async Task<SessionFound> Find(string key, DateTimeOffset now, TimeSpan idle, TimeSpan? touchAfter)
    {
        var touch = touchAfter is { } after ? (long)after.TotalMilliseconds : -1;
        var found = (RedisResult[])(await redis.Evaluate(
            FindScript, [Key(key), Mark(key)], [Milliseconds(now), (long)idle.TotalMilliseconds, touch]))!;
        return found.Length == 1
            ? new SessionFound(null, (long)found[0] == 1)
            : new SessionFound(new StoredSession((byte[])found[0]!, Date(found[1]), Date(found[2]), (long)found[3]), false);
    }

    public async Task<bool> Replace(string key, byte[] box, DateTimeOffset endsAt, long version) =>
        (long)await redis.Evaluate(ReplaceScript, [Key(key)], [version, box, Milliseconds(endsAt), version + 1]) == 1;

    public Task End(string key, bool leaveMark) =>
        redis.Run("DEL", database => database.KeyDeleteAsync(leaveMark ? [Key(key)] : [Key(key), Mark(key)]));

    public async Task<IReadOnlyList<string>> Members(string index)
    {
        var members = await redis.Run("ZRANGEBYSCORE", database => database.SortedSetRangeByScoreAsync(
            IndexKey(index), Milliseconds(time.GetUtcNow()), flags: CommandFlags.DemandMaster));
        return [.. members.Select(m => (string)m!)];
    }

    public Task Drop(string index, string key) => redis.Run("ZREM", database => database.SortedSetRemoveAsync(IndexKey(index), key));

    public Task<bool> TryLock(string key, string owner, TimeSpan life) =>
        redis.Run("SET", database => database.StringSetAsync(LockKey(key), owner, life, When.NotExists));

    public Task Unlock(string key, string owner) => redis.Evaluate(UnlockScript, [LockKey(key)], [owner]);

    public Task<bool> Spend(string name, TimeSpan life) =>
        redis.Run("SET", database => database.StringSetAsync("bff:spent:" + name, "1", life, When.NotExists));

    public Task<bool> IsSpent(string name) => redis.Run("EXISTS", database => database.KeyExistsAsync("bff:spent:" + name, CommandFlags.DemandMaster));

    private static async Task<bool> Index(IDatabase database, string index, string key, DateTimeOffset now, DateTimeOffset endsAt)
    {
        var name = IndexKey(index);
        await Task.WhenAll(
            database.SortedSetRemoveRangeByScoreAsync(name, double.NegativeInfinity, Milliseconds(now)),
            database.SortedSetAddAsync(name, key, Milliseconds(endsAt)),
            database.KeyExpireAsync(name, endsAt - now + MarkedFor));
        return true;
    }

    private static RedisKey Key(string key) => $"bff:session:{{{key}}}";

    private static RedisKey Mark(string key) => $"bff:session:{{{key}}}:was";

    private static RedisKey LockKey(string key) => $"bff:session:{{{key}}}:lock";

    private static RedisKey IndexKey(string index) => "bff:sessions:" + index;

    private static long Milliseconds(DateTimeOffset date) => date.ToUnixTimeMilliseconds();

    private static long Life(TimeSpan span) => Math.Max(1, (long)span.TotalMilliseconds);

    private static DateTimeOffset Date(RedisResult milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(long.Parse((string)milliseconds!, CultureInfo.InvariantCulture));
}
