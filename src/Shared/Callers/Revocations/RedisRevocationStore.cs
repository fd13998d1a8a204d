using System.Globalization;
using Bff.State;
using StackExchange.Redis;

namespace Bff.Callers;

/// <summary>
/// A sorted set <c>bff:{revocations}</c>, scored by the end of each (Unix milliseconds); a counter beside it; and the channel <c>bff:revocations</c>.
/// Both keys live as long as the longest revocation.
/// </summary>
internal sealed class RedisRevocationStore(RedisState redis, TimeProvider time) : IRevocationStore
{
    private const string Channel = "bff:revocations";
    private const int PageSize = 1000;
    private static readonly RedisKey Ends = "bff:{revocations}";
    private static readonly RedisKey Counter = "bff:{revocations}:version";

    /// <summary>One step, so that nobody can see the version without its revocation.</summary>
    private static readonly RedisScript AddScript = new("""
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
        local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
        if not known or tonumber(known) < tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
        local version = redis.call('INCR', KEYS[2])
        local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
        last = string.format('%.0f', tonumber(last))
        redis.call('PEXPIREAT', KEYS[1], last)
        redis.call('PEXPIREAT', KEYS[2], last)
        redis.call('PUBLISH', ARGV[4], version .. ' ' .. ARGV[2] .. ' ' .. ARGV[1])
        return version
        """);

    public bool IsAvailable => redis.IsAvailable;

    public Task Add(Revocation revocation, CancellationToken cancellation) => redis.Evaluate(
        AddScript,
        [Ends, Counter],
        [revocation.ToMember(), revocation.Until.ToUnixTimeMilliseconds(), time.GetUtcNow().ToUnixTimeMilliseconds(), Channel],
        cancellation);

    public Task<long> Version(CancellationToken cancellation) =>
        redis.Run("GET", async database => (long?)await database.StringGetAsync(Counter) ?? 0, cancellation);

    public async Task<IReadOnlyList<Revocation>> All(CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var all = new List<Revocation>();
        while (true)
        {
            // From the latest end down: what expires or is added between two pages can repeat an entry but never hide one.
            var skip = all.Count;
            var page = await redis.Run(
                "ZREVRANGEBYSCORE",
                database => database.SortedSetRangeByScoreWithScoresAsync(Ends, now, double.PositiveInfinity, Exclude.None, Order.Descending, skip, PageSize), cancellation);
            foreach (var entry in page)
            {
                all.Add(Read((string)entry.Element!, (long)entry.Score) ?? Revocation.OfToken("", DateTimeOffset.UnixEpoch));
            }

            if (page.Length < PageSize)
            {
                return all;
            }
        }
    }

    public IDisposable Subscribe(Action<Revocation, long> added) => redis.Subscribe(Channel, message =>
    {
        var parts = message.Split(' ', 3);
        if (parts.Length == 3
            && long.TryParse(parts[0], CultureInfo.InvariantCulture, out var version)
            && long.TryParse(parts[1], CultureInfo.InvariantCulture, out var until)
            && Read(parts[2], until) is { } revocation)
        {
            added(revocation, version);
        }
    });

    private static Revocation? Read(string member, long until) => Revocation.FromMember(member, DateTimeOffset.FromUnixTimeMilliseconds(until));
}
