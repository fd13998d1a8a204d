using System.Globalization;
using System.Text.Json;
using Bff.State;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Keys = Bff.Events.RedisEventKeys;
using Scripts = Bff.Events.RedisEventScripts;

namespace Bff.Events;

/// <summary>The event log in Redis streams: one of all events, one per tenant and one per user, all written by one script.</summary>
internal sealed class RedisEventLog(RedisState redis, IOptions<EventsOptions> options) : IEventLog
{
    private readonly long _retention = (long)options.Value.Retention.TotalMilliseconds;
    private readonly int _length = options.Value.MaxLength;

    public async Task Append(IReadOnlyList<NewEvent> events, CancellationToken cancellation)
    {
        if (events.Count == 0)
        {
            return;
        }

        var keys = new List<RedisKey> { Keys.Log, Keys.Number, Keys.Epoch, Keys.Watched, Keys.Queue, Keys.Mark };
        var values = new List<RedisValue> { _retention, _length, IEventQueue.MaxWaiting, Keys.Channel, EventId.NewStamp() };
        foreach (var (head, data) in events)
        {
            keys.Add(Keys.Seen(head));
            keys.Add(head.Tenant is { } tenant ? Keys.Tenant(tenant) : Keys.Log);
            keys.Add(head.User is { } user ? Keys.User(user) : Keys.Log);
            values.Add(head.Tenant ?? "");
            values.Add(head.User ?? "");
            values.Add(JsonSerializer.SerializeToUtf8Bytes(head, EventJson.Default.EventHead));
            values.Add(data.ToArray());
        }

        if ((long)await redis.Evaluate(Scripts.Append, [.. keys], [.. values], cancellation) < 0)
        {
            throw new StoreUnavailableException();
        }
    }

    public async Task<EventLogEnd> End(CancellationToken cancellation)
    {
        var end = (RedisResult[])
            (await redis.Evaluate(Scripts.End, [Keys.Log, Keys.Number, Keys.Epoch, Keys.Mark], [_retention], cancellation))!;
        return new(RedisEventEntries.Id(end[0]), long.Parse((string)end[1]!, CultureInfo.InvariantCulture));
    }

    public Task<EventPage> ReadUser(string user, EventId after, int count, CancellationToken cancellation) =>
        Read(Keys.User(user), after, count, cancellation);

    public Task<EventPage> ReadTenant(string tenant, EventId after, int count, CancellationToken cancellation) =>
        Read(Keys.Tenant(tenant), after, count, cancellation);

    public async Task<EventTailPage> ReadAll(EventId after, int count, CancellationToken cancellation)
    {
        var result = (RedisResult[])
            (await redis.Evaluate(Scripts.ReadAll, [Keys.Log, Keys.Mark], [after.ToString(), count, _retention], cancellation))!;
        var entries = (RedisResult[])result[1]!;
        var isComplete = (int)result[2] == 1;
        if (entries.Length == 0)
        {
            return new([], 0, RedisEventEntries.Id(result[0]), isComplete);
        }

        var first = (long)((RedisResult[])((RedisResult[])entries[0]!)[1]!)[5];
        return new(RedisEventEntries.Read(entries), first, RedisEventEntries.Id(((RedisResult[])entries[^1]!)[0]), isComplete);
    }

    public IDisposable OnAppended(Action appended) => redis.Subscribe(Keys.Channel, _ => appended());

    private async Task<EventPage> Read(RedisKey stream, EventId after, int count, CancellationToken cancellation)
    {
        var result = (RedisResult[])
            (
                await redis.Evaluate(
                    Scripts.Read,
                    [stream, Keys.Epoch, Keys.Log, Keys.Mark],
                    [after.ToString(), after.Milliseconds, count, _retention, _length, !after.IsTime],
                    cancellation
                )
            )!;
        return new(RedisEventEntries.Read((RedisResult[])result[1]!), (int)result[0] == 1);
    }
}

/// <summary>Converts entries of a stream from the form in which the client library returns them.</summary>
internal static class RedisEventEntries
{
    public static List<LoggedEvent> Read(RedisResult[] entries)
    {
        var events = new List<LoggedEvent>(entries.Length);
        foreach (var entry in entries)
        {
            var parts = (RedisResult[])entry!;
            var fields = (RedisResult[])parts[1]!;
            var head = JsonSerializer.Deserialize((byte[])fields[1]!, EventJson.Default.EventHead)!;
            events.Add(new(Id(parts[0]), head, (byte[])fields[3]!));
        }

        return events;
    }

    public static EventId Id(RedisResult id) =>
        EventId.TryParse((string)id!, out var parsed) ? parsed : throw new InvalidOperationException("Not an id of the event log.");
}
