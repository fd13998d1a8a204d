using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Bff.Concurrency;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.ApiKeys;

/// <summary>
/// Writes when keys were last used, every ten seconds and at shutdown, outside of requests. Daily, and when the store may have lost data,
/// it writes this for every key that this process remembers. A key that is missing from its tenant's list is listed again, because it would
/// still work and could not be revoked.
/// </summary>
internal sealed partial class ApiKeyUses(IApiKeyStore store, TimeProvider time, ILogger<ApiKeyUses> logger)
    : PeriodicFlush(new("api-key-uses", logger), TimeSpan.FromSeconds(10), time)
{
    private const int AtOnce = 500;
    private static readonly TimeSpan LookEvery = TimeSpan.FromDays(1);
    private readonly ConcurrentQueue<RememberedKey> _queue = new();
    private long _looked = time.GetTimestamp();
    private int _isLookDue;

    /// <summary>The keys that this process remembers.</summary>
    public Func<IEnumerable<RememberedKey>> Remembered { get; set; } = static () => [];

    /// <summary>Queues a use for writing. At most one entry per key is queued.</summary>
    public void Note(RememberedKey key, DateTimeOffset now)
    {
        if (key.Use(now))
        {
            _queue.Enqueue(key);
        }
    }

    /// <summary>Makes the next write check every remembered key, because the store may have lost data.</summary>
    public void LookAtAll() => Volatile.Write(ref _isLookDue, 1);

    /// <summary>Writes the queued uses. Queues those again that could not be written, and throws the exception that prevented it.</summary>
    protected override async Task Write(CancellationToken cancellation)
    {
        ExceptionDispatchInfo? failed = null;
        if (Interlocked.Exchange(ref _isLookDue, 0) == 1 || Time.GetElapsedTime(_looked) >= LookEvery)
        {
            _looked = Time.GetTimestamp();
            foreach (var key in Remembered())
            {
                Note(key, key.LastUsed);
            }
        }

        var waiting = new List<RememberedKey>();
        while (_queue.TryDequeue(out var key))
        {
            key.Dequeued();
            waiting.Add(key);
        }

        foreach (var tenant in waiting.GroupBy(k => k.Record!.Tenant))
        {
            try
            {
                var uses = tenant.GroupBy(k => k.Record!.Id).Select(k => KeyValuePair.Create(k.Key, k.Max(u => u.LastUsed)));
                foreach (var some in uses.Chunk(AtOnce))
                {
                    foreach (var id in await store.Touch(tenant.Key, some, cancellation))
                    {
                        await Relist(tenant.First(k => k.Record!.Id == id).Record!, cancellation);
                    }
                }
            }
#pragma warning disable CA1031 // The uses of the other tenants still have to be written.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                failed = ExceptionDispatchInfo.Capture(failure);
                foreach (var key in tenant)
                {
                    Note(key, key.LastUsed);
                }
            }
        }

        failed?.Throw();
    }

    private async Task Relist(ApiKeyRecord key, CancellationToken cancellation)
    {
        if (await store.Relist(key, cancellation))
        {
            LogListedAgain(logger, key.Id, key.Tenant);
        }
    }

    [LoggerMessage(
        1401,
        LogLevel.Warning,
        "The store lost API key {Key} from the list of tenant {Tenant}; the key stayed valid and is listed again",
        EventName = "ApiKeyRelisted"
    )]
    private static partial void LogListedAgain(ILogger logger, string key, string tenant);
}
