namespace Bff.Admission;

/// <summary>
/// Finds how many requests the host serves well at once, from their latency alone: while a window's mean stays near the long-term one the
/// limit grows, when it rises the limit shrinks in proportion. It is Gradient2 of Netflix concurrency-limits
/// (https://github.com/Netflix/concurrency-limits, <c>Gradient2Limit</c>), begun at the ceiling so that a fresh host sheds no request.
/// </summary>
internal sealed class AdaptiveLimit
{
    private const double Tolerance = 2.0; // A mean up to twice the usual is a mixture of endpoints, not overload.
    private const double Smoothing = 0.2;
    private const double LongTerm = 2.0 / (100 + 1); // Exponential mean over about a hundred windows.
    private const int MinSamples = 10;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);
    private readonly Lock _lock = new();
    private readonly int _floor;
    private readonly int _ceiling;
    private double _limit;
    private double _usual;
    private int _current;
    private long _sum;
    private int _count;
    private int _busiest;
    private long _windowEnds;

    /// <summary>Begins at the ceiling.</summary>
    /// <param name="floor">Never below.</param>
    /// <param name="ceiling">Never above.</param>
    public AdaptiveLimit(int floor, int ceiling)
    {
        _floor = floor;
        _ceiling = ceiling;
        _current = ceiling;
        _limit = ceiling;
    }

    /// <summary>Requests at once, now.</summary>
    public int Current => Volatile.Read(ref _current);

    /// <summary>Takes one request's latency into account.</summary>
    /// <param name="latency">In ticks of 100 ns.</param>
    /// <param name="inFlight">Requests at once when it ended.</param>
    /// <param name="now">In ticks of 100 ns.</param>
    public void Sample(long latency, int inFlight, long now)
    {
        if (_floor == _ceiling)
        {
            return;
        }

        Interlocked.Add(ref _sum, latency);
        Interlocked.Increment(ref _count);
        if (inFlight > Volatile.Read(ref _busiest))
        {
            Volatile.Write(ref _busiest, inFlight); // A lost update only makes the host look a little less busy.
        }

        if (now >= Volatile.Read(ref _windowEnds) && _lock.TryEnter())
        {
            try
            {
                Close(now);
            }
            finally
            {
                _lock.Exit();
            }
        }
    }

    private void Close(long now)
    {
        if (now < _windowEnds || (Volatile.Read(ref _count) < MinSamples && _windowEnds != 0))
        {
            return;
        }

        var isFirst = _windowEnds == 0;
        Volatile.Write(ref _windowEnds, now + Window.Ticks);
        if (isFirst)
        {
            return;
        }

        var count = Interlocked.Exchange(ref _count, 0);
        var recent = Math.Max(1.0, Interlocked.Exchange(ref _sum, 0) / (double)count);
        var busiest = Interlocked.Exchange(ref _busiest, 0);
        _usual = _usual == 0 ? recent : _usual + (recent - _usual) * LongTerm;
        if (_usual / recent > 2)
        {
            _usual *= 0.95; // The overload is over: forget it sooner than the mean would.
        }

        if (busiest < _limit / 2)
        {
            return; // The limit is not what holds requests back, so latency says nothing about it.
        }

        var gradient = Math.Clamp(Tolerance * _usual / recent, 0.5, 1.0);
        var next = _limit * gradient + Math.Sqrt(_limit);
        _limit = Math.Clamp(_limit * (1 - Smoothing) + next * Smoothing, _floor, _ceiling);
        Volatile.Write(ref _current, (int)_limit);
    }
}
