using System.Globalization;
using Bff.State;
using StackExchange.Redis;

namespace PartnerBff.Usage;

/// <summary>Identifies a write of an instance, so that the store adds it only once, however often it arrives.</summary>
/// <param name="Instance">Unique per process.</param>
/// <param name="Number">Increases; an instance repeats the flush of an account's day until the store has confirmed it, and only then sends
/// the next one.</param>
internal readonly record struct UsageFlush(string Instance, long Number);

/// <summary>Sums up usage over all instances; kept for 95 days.</summary>
internal interface IUsageStore
{
    /// <summary>Adds an account's counts of one day, unless they have been added already under this or a later number.</summary>
    /// <exception cref="StoreUnavailableException">It is unknown whether the counts were added: send the same again. <see cref="Read"/>:
    /// the store is unavailable.</exception>
    ValueTask Add(
        string account,
        DateOnly day,
        UsageFlush flush,
        IReadOnlyCollection<(string Endpoint, EndpointUsage Usage)> counts,
        CancellationToken cancellation
    );

    /// <summary>Returns an account's counts of one day by endpoint.</summary>
    ValueTask<IReadOnlyDictionary<string, EndpointUsage>> Read(string account, DateOnly day, CancellationToken cancellation);
}

/// <summary>Keeps usage in the memory of a single instance.</summary>
internal sealed class EmbeddedUsageStore(TimeProvider time) : IUsageStore
{
    private const int DaysKept = 95;
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Account, DateOnly Day), Dictionary<string, EndpointUsage>> _days = [];
    private readonly Dictionary<(string Account, DateOnly Day, string Instance), long> _flushes = [];

    public ValueTask Add(
        string account,
        DateOnly day,
        UsageFlush flush,
        IReadOnlyCollection<(string Endpoint, EndpointUsage Usage)> counts,
        CancellationToken cancellation
    )
    {
        lock (_lock)
        {
            if (!_days.TryGetValue((account, day), out var known))
            {
                var oldest = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime).AddDays(-DaysKept);
                foreach (var old in _days.Keys.Where(k => k.Day < oldest).ToList())
                {
                    _days.Remove(old);
                }

                foreach (var old in _flushes.Keys.Where(k => k.Day < oldest).ToList())
                {
                    _flushes.Remove(old);
                }

                _days[(account, day)] = known = [];
            }

            if (_flushes.GetValueOrDefault((account, day, flush.Instance)) >= flush.Number)
            {
                return default;
            }

            _flushes[(account, day, flush.Instance)] = flush.Number;
            foreach (var (endpoint, usage) in counts)
            {
                (known.TryGetValue(endpoint, out var sum) ? sum : known[endpoint] = new EndpointUsage()).Add(usage);
            }
        }

        return default;
    }

    public ValueTask<IReadOnlyDictionary<string, EndpointUsage>> Read(string account, DateOnly day, CancellationToken cancellation)
    {
        lock (_lock)
        {
            var copies = new Dictionary<string, EndpointUsage>();
            foreach (var (endpoint, usage) in _days.GetValueOrDefault((account, day)) ?? [])
            {
                (copies[endpoint] = new EndpointUsage()).Add(usage);
            }

            return new(copies);
        }
    }
}

/// <summary>
/// Keeps usage in Redis: one hash per account and day, <c>bff:usage:{account}:2026-01-31</c>. Its fields are endpoint, tab, count; and
/// <c>flushed:</c> with an instance, which holds the number of that instance's last flush. So the counts and the fact that they were added
/// are written, kept and lost together.
/// </summary>
internal sealed class RedisUsageStore(RedisState redis) : IUsageStore
{
    // One command adds everything and records it: if the second of two commands were refused, the flush would be lost or counted twice. Lua
    // passes at most a few thousand arguments to a command, so longer data is written in parts, and only the first part can be refused.
    private static readonly RedisScript AddScript = RedisScript.Durable(
        """
        if tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or 0) < tonumber(ARGV[3]) then
          local sums = {}
          for i = 4, #ARGV, 2 do
            local sum = (tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or 0) or 0) + ARGV[i + 1]
            sums[#sums + 1] = ARGV[i]
            sums[#sums + 1] = string.format('%.0f', sum)
          end
          sums[#sums + 1] = ARGV[2]
          sums[#sums + 1] = ARGV[3]
          for i = 1, #sums, 4000 do redis.call('HSET', KEYS[1], unpack(sums, i, math.min(i + 3999, #sums))) end
        end
        redis.call('EXPIRE', KEYS[1], ARGV[1])
        return 1
        """
    );

    private const int SecondsKept = 95 * 86_400;

    public async ValueTask Add(
        string account,
        DateOnly day,
        UsageFlush flush,
        IReadOnlyCollection<(string Endpoint, EndpointUsage Usage)> counts,
        CancellationToken cancellation
    )
    {
        var arguments = new List<RedisValue> { SecondsKept, "flushed:" + flush.Instance, flush.Number };
        foreach (var (endpoint, usage) in counts)
        {
            foreach (var (name, count) in usage.Fields())
            {
                arguments.Add(endpoint + "\t" + name);
                arguments.Add(count);
            }
        }

        await redis.Evaluate(AddScript, [Key(account, day)], [.. arguments], cancellation);
    }

    public async ValueTask<IReadOnlyDictionary<string, EndpointUsage>> Read(string account, DateOnly day, CancellationToken cancellation)
    {
        var fields = await redis.Run("HGETALL", database => database.HashGetAllAsync(Key(account, day)), cancellation);
        var usage = new Dictionary<string, EndpointUsage>();
        foreach (var field in fields)
        {
            if (((string)field.Name!).Split('\t') is [var endpoint, var name])
            {
                (usage.TryGetValue(endpoint, out var known) ? known : usage[endpoint] = new EndpointUsage()).Add(name, (long)field.Value);
            }
        }

        return usage;
    }

    private static RedisKey Key(string account, DateOnly day) =>
        string.Create(CultureInfo.InvariantCulture, $"bff:usage:{{{account}}}:{day:yyyy-MM-dd}");
}
