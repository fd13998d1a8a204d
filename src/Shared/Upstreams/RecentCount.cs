using Bff.Concurrency;

namespace Bff.Upstreams;

/// <summary>How often something happened within a window that moves on in ten steps. Its user locks.</summary>
/// <param name="window">How far back it counts.</param>
/// <param name="time">The clock.</param>
internal sealed class RecentCount(TimeSpan window, TimeProvider time)
{
    private const int Slices = 10;

    private readonly int[] _slices = new int[Slices];
    private readonly long _length = Math.Max(1, time.ToTimestamps(window) / Slices);
    private long _current;

    /// <summary>All of the window.</summary>
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

    /// <summary>It happened.</summary>
    public void Add()
    {
        Advance();
        _slices[_current % Slices]++;
    }

    /// <summary>The latest did not happen after all.</summary>
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

    /// <summary>Forgets all.</summary>
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
