using Bff.Edge;

namespace PartnerBff.Usage;

/// <summary>Adds requests up in memory and writes the sums every two seconds, at the end, and before somebody reads them; never on the way of a request.</summary>
internal sealed partial class UsageRecorder(IUsageStore store, TimeProvider time, ILogger<UsageRecorder> logger) : BackgroundService
{
    private const int MaxKeys = 100_000; // Tenants × endpoints: far beyond what is configured; while the store is away for long, a bound.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private readonly SemaphoreSlim _flushing = new(1, 1);
    private readonly Lock _lock = new();
    private Dictionary<UsageKey, EndpointUsage> _counts = [];

    public void Add(string account, string endpoint, int status, TimeSpan latency, long overage)
    {
        var key = new UsageKey(account, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime), endpoint);
        lock (_lock) // What is added to counts that are being written already would be lost.
        {
            if (_counts.ContainsKey(key) || _counts.Count < MaxKeys)
            {
                Counts(key).Add(status, latency, overage);
            }
        }
    }

    /// <summary>Writes what has added up; what cannot be written waits. Only the wait for one's turn can be cancelled: whoever asks may go away, the counts may not.</summary>
    public async Task Flush(CancellationToken cancellation)
    {
        await _flushing.WaitAsync(cancellation);
        try
        {
            Dictionary<UsageKey, EndpointUsage> counts;
            lock (_lock)
            {
                (counts, _counts) = (_counts, []);
            }

            foreach (var day in counts.GroupBy(c => (c.Key.Account, c.Key.Day)))
            {
                try
                {
                    await store.Add(day.Key.Account, day.Key.Day, [.. day.Select(c => (c.Key.Endpoint, c.Value))], CancellationToken.None);
                }
                catch (ProblemException)
                {
                    lock (_lock)
                    {
                        foreach (var (key, usage) in day)
                        {
                            Counts(key).Add(usage);
                        }
                    }
                }
            }
        }
        finally
        {
            _flushing.Release();
        }
    }

    private EndpointUsage Counts(UsageKey key) => _counts.TryGetValue(key, out var usage) ? usage : _counts[key] = new EndpointUsage();

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
