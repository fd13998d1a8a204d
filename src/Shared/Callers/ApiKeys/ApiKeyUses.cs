using System.Collections.Concurrent;
using Bff.Edge;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.ApiKeys;

/// <summary>Writes when keys were last used, every ten seconds and at the end, away from any request.</summary>
internal sealed partial class ApiKeyUses(IApiKeyStore store, TimeProvider time, ILogger<ApiKeyUses> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private readonly ConcurrentQueue<RememberedKey> _queue = new();

    /// <summary>Notes a use; at most one entry per key waits.</summary>
    public void Note(RememberedKey key, DateTimeOffset now)
    {
        if (key.Use(now))
        {
            _queue.Enqueue(key);
        }
    }

    /// <summary>Writes what waits; keeps it when the store is away.</summary>
    public async Task Flush(CancellationToken cancellation)
    {
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
            catch (ProblemException)
            {
                foreach (var key in tenant)
                {
                    Note(key, key.LastUsed);
                }
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await Flush(stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }

        try
        {
            await Flush(CancellationToken.None);
        }
#pragma warning disable CA1031 // The last use of a key is not worth a failed shutdown.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogLost(logger, failure);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The last uses of API keys could not be written")]
    private static partial void LogLost(ILogger logger, Exception exception);
}
