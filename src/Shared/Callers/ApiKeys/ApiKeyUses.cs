using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Bff.Concurrency;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.ApiKeys;

/// <summary>Writes when keys were last used, every ten seconds and at the end, away from any request.</summary>
internal sealed class ApiKeyUses(IApiKeyStore store, TimeProvider time, ILogger<ApiKeyUses> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private readonly ConcurrentQueue<RememberedKey> _queue = new();
    private readonly BackgroundLoop _loop = new("api-key-uses", logger);

    /// <summary>Notes a use; at most one entry per key waits.</summary>
    public void Note(RememberedKey key, DateTimeOffset now)
    {
        if (key.Use(now))
        {
            _queue.Enqueue(key);
        }
    }

    /// <summary>Writes what waits; keeps what cannot be written, and throws what kept it from being written.</summary>
    public async Task Flush(CancellationToken cancellation)
    {
        ExceptionDispatchInfo? failed = null;
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
                var uses = tenant.GroupBy(k => k.Record!.Id).Select(k => KeyValuePair.Create(k.Key, k.Max(u => u.LastUsed))).ToList();
                await store.Touch(tenant.Key, uses, cancellation);
            }
#pragma warning disable CA1031 // The other tenants' uses are still to be written.
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

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await _loop.Every(Interval, time, Flush, stoppingToken);
        await _loop.Try(Flush, CancellationToken.None);
    }
}
