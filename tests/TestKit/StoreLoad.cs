using System.Collections.Concurrent;

namespace Bff.TestKit;

/// <summary>
/// Writes to several stores at the same time. Each writer writes numbered items one after another and notes the moment of each
/// acknowledgement; an item that the store refuses is not tried again.
/// </summary>
public sealed class StoreLoad(IReadOnlyDictionary<string, StoreProbe> probes) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private readonly ConcurrentDictionary<string, ConcurrentQueue<(int Number, long Moment)>> _acknowledged = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private long _moment;
    private int _refused;
    private int _longest;

    /// <summary>Increases with every acknowledgement.</summary>
    public long Moment => Volatile.Read(ref _moment);

    /// <summary>Number of times that a store was unavailable.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>Longest series of refused attempts of any store: the length of the outage in attempts.</summary>
    public int Longest => Volatile.Read(ref _longest);

    /// <summary>Number of items that the slowest store has acknowledged.</summary>
    public int Fewest => probes.Keys.Min(store => _acknowledged.TryGetValue(store, out var numbers) ? numbers.Count : 0);

    /// <summary>Writes until the given task has ended.</summary>
    public async Task During(Func<Task> meanwhile)
    {
        ArgumentNullException.ThrowIfNull(meanwhile);
        var writers = probes.Select(p => Task.Run(() => Write(p.Key, p.Value))).ToList();
        var over = meanwhile();
        await Task.WhenAny([over, .. writers]);
        await _stop.CancelAsync();
        await Task.WhenAll(writers);
        await over;
    }

    /// <summary>Waits until every store has acknowledged so many more.</summary>
    public Task More(int number)
    {
        var before = Fewest;
        return Eventually.True(() => Fewest >= before + number, TimeSpan.FromMinutes(2));
    }

    /// <summary>Returns acknowledged items that are missing or duplicated, with their moment.</summary>
    public async Task<IReadOnlyList<(string Thing, long Moment)>> Lost()
    {
        var lost = new ConcurrentBag<(string, long)>();
        await Task.WhenAll(
            probes.Select(async probe =>
            {
                foreach (var (number, moment) in _acknowledged.GetValueOrDefault(probe.Key) ?? [])
                {
                    if (!await probe.Value.Finds(number))
                    {
                        lost.Add(($"{probe.Key} {number}", moment));
                    }
                }
            })
        );
        return [.. lost];
    }

    /// <summary>Returns the figures for the documentation.</summary>
    public string Figures(int lost) => $"{Moment} acknowledged, {Refused} refused, {Longest} in a row of one store, {lost} lost";

    public void Dispose() => _stop.Dispose();

    private void Longer(int inARow)
    {
        for (var longest = Longest; inARow > longest; longest = Longest)
        {
            Interlocked.CompareExchange(ref _longest, inARow, longest);
        }
    }

    private async Task Write(string store, StoreProbe probe)
    {
        var acknowledged = _acknowledged.GetOrAdd(store, _ => new());
        var inARow = 0;
        for (var number = 1; !_stop.IsCancellationRequested; number++)
        {
            try
            {
                await probe.Write(number).WaitAsync(TimeSpan.FromSeconds(30));
                inARow = 0;
                acknowledged.Enqueue((number, Interlocked.Increment(ref _moment)));
            }
            catch (Exception away) when (probe.IsAway(away))
            {
                Interlocked.Increment(ref _refused);
                Longer(++inARow);
            }

            await Task.Delay(Pause); // Far below the speed of Redis, which is not what is tested.
        }
    }
}
