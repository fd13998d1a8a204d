using System.Collections.Concurrent;
using Bff.Edge;

namespace PartnerBff.Usage;

/// <summary>Adds requests up in memory and writes the sums every two seconds, at the end, and before somebody reads them; never on the way of a request.</summary>
internal sealed partial class UsageRecorder(IUsageStore store, TimeProvider time, ILogger<UsageRecorder> logger) : BackgroundService
{
    private const int MaxKeys = 100_000; // Tenants × endpoints: far beyond what is configured; while the store is away for long, a bound.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private readonly SemaphoreSlim _flushing = new(1, 1);
    private ConcurrentDictionary<UsageKey, EndpointUsage> _counts = new();

    public void Add(string account, string endpoint, int status, TimeSpan latency, long overage)
    {
        var counts = Volatile.Read(ref _counts);
        var key = new UsageKey(account, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime), endpoint);
        if (counts.TryGetValue(key, out var usage) || counts.Count < MaxKeys)
        {
            (usage ?? counts.GetOrAdd(key, static _ => new EndpointUsage())).Add(status, latency, overage);
        }
    }

    /// <summary>Writes what has added up; what cannot be written waits.</summary>
    public async Task Flush(CancellationToken cancellation)
    {
        await _flushing.WaitAsync(cancellation);
        try
        {
            var counts = Interlocked.Exchange(ref _counts, new());
            foreach (var day in counts.GroupBy(c => (c.Key.Account, c.Key.Day)))
            {
                try
                {
                    await store.Add(day.Key.Account, day.Key.Day, [.. day.Select(c => (c.Key.Endpoint, c.Value))], cancellation);
                }
                catch (ProblemException)
                {
                    foreach (var (key, usage) in day)
                    {
                        _counts.GetOrAdd(key, static _ => new EndpointUsage()).Add(usage);
                    }
                }
            }
        }
        finally
        {
            _flushing.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await FlushSafely(stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }

        await FlushSafely(CancellationToken.None);
    }

    public override void Dispose()
    {
        _flushing.Dispose();
        base.Dispose();
    }

    private async Task FlushSafely(CancellationToken cancellation)
    {
        try
        {
            await Flush(cancellation);
        }
#pragma warning disable CA1031 // The next round tries again.
        catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
        {
            LogFailed(logger, failure);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Usage could not be written")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
