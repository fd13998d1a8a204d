using Bff.Concurrency;

namespace Bff.Upstreams;

/// <summary>Counts events in a sliding window of ten slices. It is not thread-safe: the caller holds a lock.</summary>
/// <param name="window">The length of the window.</param>
/// <param name="time">The clock.</param>
internal sealed class RecentCount(TimeSpan window, TimeProvider time)
{
    private const int Slices = 10;

    private readonly int[] _slices = new int[Slices];
    private readonly long _length = Math.Max(1, time.ToTimestamps(window) / Slices);
    private long _current;

    /// <summary>Number of events in the window.</summary>
    public int Sum
    {
        get
        {
            Advance();
            var sum = 0;
            foreach (var slice in _slices)
            {
                sum += slice;
            }

            return sum;
        }
    }

    /// <summary>Counts an event.</summary>
    public void Add()
    {
        Advance();
        _slices[_current % Slices]++;
    }

    /// <summary>Removes the latest event.</summary>
    public void TakeBack()
    {
        Advance();
        for (var s = 0; s < Slices; s++)
        {
            ref var slice = ref _slices[(_current + Slices - s) % Slices];
            if (slice > 0)
            {
                slice--;
                return;
            }
        }
    }

    /// <summary>Removes all events.</summary>
    public void Clear() => Array.Clear(_slices);

    private void Advance()
    {
        var now = time.GetTimestamp() / _length;
        for (var s = Math.Max(_current + 1, now - Slices + 1); s <= now; s++)
        {
            _slices[s % Slices] = 0;
        }

        _current = Math.Max(_current, now);
    }
}
