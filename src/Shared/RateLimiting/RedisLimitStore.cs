using Bff.State;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Bff.RateLimiting;

/// <summary>One Lua call decides all levels, with the server's clock.</summary>
internal sealed class RedisLimitStore(RedisState redis, IHostEnvironment host) : ILimitStore
{
    private const int ArgumentsPerLevel = 8;

    private readonly string _prefix = Prefix(host) + ":{";
    private readonly RedisKey[] _instances = [Prefix(host) + ":instances"];

    public bool IsAway => redis.IsKnownAway;

    public async ValueTask<StoreAnswer> Take(string tag, LevelDemand[] levels)
    {
        var keys = new RedisKey[levels.Length + 1];
        var arguments = new RedisValue[levels.Length * ArgumentsPerLevel];
        for (var i = 0; i < levels.Length; i++)
        {
            ref readonly var level = ref levels[i];
            var at = i * ArgumentsPerLevel;
            keys[i] = string.Concat(_prefix, tag, "}:", level.Key);
            arguments[at] = level.Policy.Burst;
            arguments[at + 1] = level.Policy.PerMinute;
            arguments[at + 2] = level.Policy.PerDay ?? -1;
            arguments[at + 3] = level.Policy.Ceiling ?? -1;
            arguments[at + 4] = level.Need;
            arguments[at + 5] = level.Want;
            arguments[at + 6] = level.Back;
            arguments[at + 7] = level.BackDay;
        }

        keys[^1] = OverageKey(tag);
        var answer = (RedisValue[])(await redis.Evaluate(TokenBucketScript.Take, keys, arguments))!;
        var states = new LevelState[levels.Length];
        for (var i = 0; i < states.Length; i++)
        {
            states[i] = new((long)answer[2 + (i * 3)], (long)answer[3 + (i * 3)], (long)answer[4 + (i * 3)]);
        }

        return new((long)answer[0], (long)answer[1] == 1, states);
    }

    public async ValueTask<LeaseRotation> Join(string instance)
    {
        var place = (RedisValue[])(await redis.Evaluate(LeaseRotationScript.Join, _instances, [instance]))!;
        return new((int)place[0], (int)place[1]);
    }

    public async ValueTask<IReadOnlyDictionary<DateOnly, long>> Overage(string tag)
    {
        var entries = await redis.Run("HGETALL", database => database.HashGetAllAsync(OverageKey(tag)));
        return entries.ToDictionary(e => DateOnly.FromDateTime(DateTime.UnixEpoch.AddDays((long)e.Name)), e => (long)e.Value);
    }

    /// <summary>Gateways that share a Redis have plans of their own, hence buckets of their own.</summary>
    private static string Prefix(IHostEnvironment host) => "bff:limits:" + BucketKeys.Safe(host.ApplicationName);

    private string OverageKey(string tag) => string.Concat(_prefix, tag, "}:overage");
}
