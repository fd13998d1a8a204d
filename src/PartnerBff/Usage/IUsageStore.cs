using System.Globalization;
using Bff.State;
using StackExchange.Redis;

namespace PartnerBff.Usage;

/// <summary>Where usage adds up over instances; kept for 95 days.</summary>
internal interface IUsageStore
{
    /// <summary>Adds an account's counts of one day.</summary>
    /// <exception cref="StoreUnavailableException">The store is away; the same for <see cref="Read"/>.</exception>
    ValueTask Add(string account, DateOnly day, IReadOnlyCollection<(string Endpoint, EndpointUsage Usage)> counts, CancellationToken cancellation);

    /// <summary>An account's counts of one day, by endpoint.</summary>
    ValueTask<IReadOnlyDictionary<string, EndpointUsage>> Read(string account, DateOnly day, CancellationToken cancellation);
}

/// <summary>Of a single instance; gone with it.</summary>
internal sealed class EmbeddedUsageStore(TimeProvider time) : IUsageStore
{
    private const int DaysKept = 95;
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Account, DateOnly Day), Dictionary<string, EndpointUsage>> _days = [];

    public ValueTask Add(string account, DateOnly day, IReadOnlyCollection<(string Endpoint, EndpointUsage Usage)> counts, CancellationToken cancellation)
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

                _days[(account, day)] = known = [];
            }

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

/// <summary>One hash per account and day, <c>bff:usage:{account}:2026-01-31</c>; its fields are endpoint, tab, count.</summary>
internal sealed class RedisUsageStore(RedisState redis) : IUsageStore
{
    private static readonly RedisScript AddScript = new("""
        for i = 2, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
        redis.call('EXPIRE', KEYS[1], ARGV[1])
        return 1
        """);

    private const int SecondsKept = 95 * 86_400;

    public async ValueTask Add(
        string account, DateOnly day, IReadOnlyCollection<(string Endpoint, EndpointUsage Usage)> counts, CancellationToken cancellation)
    {
        var arguments = new List<RedisValue> { SecondsKept };
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

    private static RedisKey Key(string account, DateOnly day) => string.Create(CultureInfo.InvariantCulture, $"bff:usage:{{{account}}}:{day:yyyy-MM-dd}");
}
