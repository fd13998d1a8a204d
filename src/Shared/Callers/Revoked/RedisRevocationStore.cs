using System.Globalization;
using Bff.Audit;
using Bff.State;
using StackExchange.Redis;

namespace Bff.Callers.Revoked;

/// <summary>
/// Keeps revocations in the sorted set <c>bff:{revocations}</c>, scored by their end (Unix milliseconds). The set expires with the longest
/// revocation. New revocations are announced on the channel <c>bff:revocations</c>.
/// </summary>
internal sealed class RedisRevocationStore(RedisState redis, Announcements announcements, TimeProvider time, AuditOutbox? outbox = null)
    : IRevocationStore
{
    private const int PageSize = 1000;
    private static readonly RedisKey Ends = "bff:{revocations}";

    /// <summary>Writes and announces in one step, so that everything written is announced.</summary>
    private static readonly RedisScript AddScript = RedisScript.Durable(
        $"""
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
        local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
        if not known or tonumber(known) < tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
        local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
        last = string.format('%.0f', tonumber(last))
        redis.call('PEXPIREAT', KEYS[1], last)
        {AuditOutbox.Write("KEYS[2]", "ARGV[6]")}
        redis.call('PUBLISH', ARGV[4], ARGV[5])
        return 1
        """
    );

    private readonly AnnouncementFeed _feed = announcements.Feed("revocations", "bff:revocations");

    public bool IsAvailable => redis.IsAvailable;

    public async Task Add(Revocation revocation, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null)
    {
        var step = await AuditOutbox.Begin(outbox, "revocations", audit, cancellation);
        var until = revocation.Until.ToUnixTimeMilliseconds();
        var note = await _feed.Note(string.Create(CultureInfo.InvariantCulture, $"{until} {revocation.ToMember()}"), cancellation);
        await redis.Evaluate(
            AddScript,
            [Ends, step.Key],
            [revocation.ToMember(), until, time.GetUtcNow().ToUnixTimeMilliseconds(), _feed.Channel, note, step.Json],
            cancellation
        );
        await AuditOutbox.Settle(outbox, step);
    }

    public async Task<IReadOnlyList<Revocation>> All(CancellationToken cancellation)
    {
        await redis.Attempted(cancellation);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var all = new List<Revocation>();
        while (true)
        {
            // Pages go from the latest end down: an entry that expires or is added between two pages can repeat another but never hide one.
            var skip = all.Count;
            var page = await redis.Run(
                "ZREVRANGEBYSCORE",
                database =>
                    database.SortedSetRangeByScoreWithScoresAsync(
                        Ends,
                        now,
                        double.PositiveInfinity,
                        Exclude.None,
                        Order.Descending,
                        skip,
                        PageSize
                    ),
                cancellation
            );
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

    public IDisposable Subscribe(Action<Revocation?> added) =>
        _feed.Listen(note =>
        {
            var parts = note?.Split(' ', 2);
            added(
                parts?.Length == 2 && long.TryParse(parts[0], CultureInfo.InvariantCulture, out var until) ? Read(parts[1], until) : null
            );
        });

    private static Revocation? Read(string member, long until) =>
        Revocation.FromMember(member, DateTimeOffset.FromUnixTimeMilliseconds(until));
}
