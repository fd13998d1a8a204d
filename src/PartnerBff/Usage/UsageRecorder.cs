using Bff.Concurrency;
using Bff.State;

namespace PartnerBff.Usage;

/// <summary>
/// Adds requests up in memory and writes the sums every two seconds, at the end, and before they are read; never on the way of a
/// request. A write without an answer may have happened or may still happen. So it is repeated as it was, under the number that it had,
/// until it is confirmed; what has come since for the same account and day waits for that.
/// </summary>
internal sealed partial class UsageRecorder(IUsageStore store, TimeProvider time, ILogger<UsageRecorder> logger)
    : PeriodicFlush(new("usage", logger), TimeSpan.FromSeconds(2), time)
{
    private const int MaxKeys = 100_000; // Tenants × endpoints: far beyond what is configured; while the store is away for long, a bound.
    private readonly Lock _lock = new();
    private readonly string _instance = Guid.NewGuid().ToString("N");
    private readonly Dictionary<(string Account, DateOnly Day), Batch> _unconfirmed = []; // Only the running flush touches it.
    private Dictionary<UsageKey, EndpointUsage> _counts = [];
    private long _flushes;
    private bool _isFull;

    public void Add(string account, string endpoint, int status, TimeSpan latency, long overage)
    {
        var key = new UsageKey(account, DateOnly.FromDateTime(Time.GetUtcNow().UtcDateTime), endpoint);
        lock (_lock) // What is added to counts that are being written already would be lost.
        {
            if (_counts.TryGetValue(key, out var usage) || _counts.Count < MaxKeys)
            {
                (usage ?? (_counts[key] = new EndpointUsage())).Add(status, latency, overage);
            }
            else if (!_isFull)
            {
                _isFull = true;
                LogFull(logger, MaxKeys);
            }
        }
    }

    /// <summary>Writes what has added up; what cannot be written waits. Not cancelled: the asker may go away, the counts may not.</summary>
    protected override async Task Write(CancellationToken cancellation)
    {
        await Write(); // What was not confirmed, as it was.
        TakeCounts();
        await Write();
    }

    private void TakeCounts()
    {
        Dictionary<UsageKey, EndpointUsage> taken;
        lock (_lock)
        {
            (taken, _counts) = (_counts, []);
            foreach (var (key, usage) in taken)
            {
                if (_unconfirmed.ContainsKey((key.Account, key.Day)))
                {
                    _counts[key] = usage;
                }
            }

            _isFull = _isFull && _counts.Count >= MaxKeys;
        }

        foreach (var day in taken.GroupBy(c => (c.Key.Account, c.Key.Day)).Where(d => !_unconfirmed.ContainsKey(d.Key)).ToList())
        {
            _unconfirmed[day.Key] = new(new(_instance, ++_flushes), [.. day.Select(c => (c.Key.Endpoint, c.Value))]);
        }
    }

    /// <summary>One account's failure is not the others'.</summary>
    private async Task Write()
    {
        foreach (var ((account, day), batch) in _unconfirmed.ToList())
        {
            try
            {
                await store.Add(account, day, batch.Flush, batch.Counts, CancellationToken.None);
                _unconfirmed.Remove((account, day));
                Loop.Succeeded(account);
            }
            catch (StoreUnavailableException)
            {
                // The state's own log says so.
            }
#pragma warning disable CA1031 // The next round tries again.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                Loop.Failed(account, failure);
            }
        }
    }

    private sealed record Batch(UsageFlush Flush, IReadOnlyCollection<(string Endpoint, EndpointUsage Usage)> Counts);

    [LoggerMessage(
        3211,
        LogLevel.Error,
        "The usage of {Keys} accounts and endpoints waits to be written; usage of further ones is not "
            + "counted until some of it is written",
        EventName = "UsageBufferFull"
    )]
    private static partial void LogFull(ILogger logger, int keys);
}
