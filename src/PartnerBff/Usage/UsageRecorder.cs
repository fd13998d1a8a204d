using Bff.Concurrency;
using Bff.State;

namespace PartnerBff.Usage;

/// <summary>
/// Sums up requests in memory and writes the sums every two seconds, on shutdown, and before they are read; no request waits for that. A
/// write without an answer may have succeeded or may still succeed. It is therefore repeated unchanged, under the same number, until it is
/// confirmed; later counts for the same account and day wait for that.
/// </summary>
internal sealed partial class UsageRecorder(IUsageStore store, TimeProvider time, ILogger<UsageRecorder> logger)
    : PeriodicFlush(new("usage", logger), TimeSpan.FromSeconds(2), time)
{
    private const int MaxKeys = 100_000; // Tenants × endpoints, far beyond any real number; bounds memory during a long outage.
    private readonly Lock _lock = new();
    private readonly string _instance = Guid.NewGuid().ToString("N");
    private readonly Dictionary<(string Account, DateOnly Day), Batch> _unconfirmed = []; // Used only by the running flush.
    private Dictionary<UsageKey, EndpointUsage> _counts = [];
    private long _flushes;
    private bool _isFull;

    public void Add(string account, string endpoint, int status, TimeSpan latency, long overage)
    {
        var key = new UsageKey(account, DateOnly.FromDateTime(Time.GetUtcNow().UtcDateTime), endpoint);
        lock (_lock) // Counts that are already being written must not change.
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

    /// <summary>
    /// Writes the sums; those that cannot be written wait. Not cancelled, so that no counts are lost if the reader disconnects.
    /// </summary>
    protected override async Task Write(CancellationToken cancellation)
    {
        await Write(); // Unconfirmed writes first, unchanged.
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

    /// <summary>Writes all batches; one account's failure does not affect the others.</summary>
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
                // The state logs it.
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
        "The usage buffer is full: the usage of {Keys} accounts and endpoints waits to be written; usage of others is not "
            + "counted until some of it is written",
        EventName = "UsageBufferFull"
    )]
    private static partial void LogFull(ILogger logger, int keys);
}
