using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.State;

namespace PartnerBff.Portal.Plans;

/// <summary>A wish for another plan, until somebody has seen to it.</summary>
/// <param name="Plan">The wanted one.</param>
/// <param name="RequestedAt">When it was wished for.</param>
/// <param name="RequestedBy">The person's subject.</param>
public sealed record PlanChange(string Plan, DateTimeOffset RequestedAt, string RequestedBy);

[JsonSerializable(typeof(PlanChange))]
internal sealed partial class PlanChangeJson : JsonSerializerContext;

/// <summary>One wish per tenant. Members throw <see cref="StoreUnavailableException"/> while Redis is away.</summary>
internal interface IPlanChanges
{
    Task<PlanChange?> Find(string tenant, CancellationToken cancellation);

    Task Set(string tenant, PlanChange change, CancellationToken cancellation);

    Task Remove(string tenant, CancellationToken cancellation);
}

/// <summary>Of a single instance; gone with it.</summary>
internal sealed class EmbeddedPlanChanges : IPlanChanges
{
    private readonly ConcurrentDictionary<string, PlanChange> _changes = new();

    public Task<PlanChange?> Find(string tenant, CancellationToken cancellation) => Task.FromResult(_changes.GetValueOrDefault(tenant));

    public Task Set(string tenant, PlanChange change, CancellationToken cancellation)
    {
        _changes[tenant] = change;
        return Task.CompletedTask;
    }

    public Task Remove(string tenant, CancellationToken cancellation)
    {
        _changes.TryRemove(tenant, out _);
        return Task.CompletedTask;
    }
}

/// <summary>One hash for all, <c>bff:plan-changes</c>, so that who sees to them finds them in one place.</summary>
internal sealed class RedisPlanChanges(RedisState redis) : IPlanChanges
{
    private const string Key = "bff:plan-changes";

    public async Task<PlanChange?> Find(string tenant, CancellationToken cancellation)
    {
        var json = (byte[]?)await redis.Run("HGET", database => database.HashGetAsync(Key, tenant), cancellation);
        return json is null ? null : JsonSerializer.Deserialize(json, PlanChangeJson.Default.PlanChange);
    }

    public Task Set(string tenant, PlanChange change, CancellationToken cancellation) =>
        redis.Run("HSET", database => database.HashSetAsync(Key, tenant, JsonSerializer.SerializeToUtf8Bytes(change, PlanChangeJson.Default.PlanChange)), cancellation);

    public Task Remove(string tenant, CancellationToken cancellation) => redis.Run("HDEL", database => database.HashDeleteAsync(Key, tenant), cancellation);
}
