using Bff.State;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Bff.RateLimiting;

/// <summary>Stores the buckets in Redis. One Lua call decides all levels, of one request or of several, by the server's clock.</summary>
internal sealed class RedisLimitStore(RedisState redis, IHostEnvironment host) : ILimitStore
{
    private readonly LimitBatches _batches = new(redis, Prefix(host) + ":{");
    private readonly RedisKey[] _instances = [Prefix(host) + ":instances"];

    public bool IsAway => redis.IsKnownAway;

    public async ValueTask<StoreAnswer> Take(string tag, LevelDemand[] levels)
    {
        using var span = RedisSpan.Start("EVALSHA"); // Each request has its own span, though one call may serve several.
        try
        {
            return await _batches.Take(tag, levels);
        }
        catch (Exception failure) when (RedisSpan.Failed(span, failure))
        {
            throw;
        }
    }

    public async ValueTask<LeaseRotation> Join(string instance)
    {
        var place = (RedisValue[])(await redis.Evaluate(LeaseRotationScript.Join, _instances, [instance]))!;
        return new((int)place[0], (int)place[1]);
    }

    public async ValueTask<IReadOnlyDictionary<DateOnly, long>> Overage(string tag)
    {
        var entries = await redis.Run("HGETALL", database => database.HashGetAllAsync(_batches.OverageKey(tag)));
        return entries.ToDictionary(e => DateOnly.FromDateTime(DateTime.UnixEpoch.AddDays((long)e.Name)), e => (long)e.Value);
    }

    /// <summary>
    /// Prefix of this gateway's keys. Gateways that share a Redis have different plans, so their buckets must differ too.
    /// </summary>
    private static string Prefix(IHostEnvironment host) => "bff:limits:" + BucketKeys.Safe(host.ApplicationName);
}
