using Bff.State;
using StackExchange.Redis;
using Keys = Bff.Events.RedisEventKeys;
using Scripts = Bff.Events.RedisEventScripts;

namespace Bff.Events;

/// <summary>
/// The event queue in Redis: a stream with one consumer group. All instances share one consumer name, because only the time since an entry
/// was taken matters, not which instance took it.
/// </summary>
internal sealed class RedisEventQueue(RedisState redis) : IEventQueue
{
    internal TimeSpan ClaimTimeout { get; init; } = IEventQueue.ClaimTimeout;

    public Task<bool> Watch(string tenant, CancellationToken cancellation) =>
        redis.Write("SADD", database => database.SetAddAsync(Keys.Watched, tenant), cancellation);

    public async Task<IReadOnlyList<LoggedEvent>> Take(int count, CancellationToken cancellation)
    {
        var entries = await redis.Evaluate(
            Scripts.Take,
            [Keys.Queue],
            [Keys.Group, (long)ClaimTimeout.TotalMilliseconds, count],
            cancellation
        );
        return RedisEventEntries.Read((RedisResult[])entries!);
    }

    public Task Done(IReadOnlyCollection<EventId> ids, CancellationToken cancellation) => ForEach(Scripts.Done, ids, cancellation);

    public Task Return(IReadOnlyCollection<EventId> ids, CancellationToken cancellation) => ForEach(Scripts.Return, ids, cancellation);

    private Task ForEach(RedisScript script, IReadOnlyCollection<EventId> ids, CancellationToken cancellation) =>
        ids.Count == 0
            ? Task.CompletedTask
            : redis.Evaluate(script, [Keys.Queue], [Keys.Group, .. ids.Select(id => (RedisValue)id.ToString())], cancellation);
}
