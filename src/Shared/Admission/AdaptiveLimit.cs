namespace Bff.Admission;

/// <summary>
/// Estimates from latency alone how many concurrent requests the host serves well. The limit grows while a window's mean latency stays near
/// the long-term mean, and shrinks in proportion when it rises. This is Gradient2 of Netflix concurrency-limits
/// (https://github.com/Netflix/concurrency-limits, <c>Gradient2Limit</c>), started at the ceiling so that a new host sheds no requests.
/// </summary>
internal sealed class AdaptiveLimit
{
    private const double Tolerance = 2.0; // A mean up to twice the usual can come from a mix of endpoints.
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

    /// <summary>Creates a limit that starts at the ceiling.</summary>
    /// <param name="floor">The lowest limit.</param>
    /// <param name="ceiling">The highest limit.</param>
    public AdaptiveLimit(int floor, int ceiling)
    {
        _floor = floor;
        _ceiling = ceiling;
        _current = ceiling;
        _limit = ceiling;
    }

    /// <summary>The current limit of concurrent requests.</summary>
    public int Current => Volatile.Read(ref _current);

    /// <summary>Adds one request's latency.</summary>
    /// <param name="latency">The latency in ticks of 100 ns.</param>
    /// <param name="inFlight">Number of concurrent requests when the request ended.</param>
    /// <param name="now">The current time in ticks of 100 ns.</param>
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
            Volatile.Write(ref _busiest, inFlight); // A lost update only makes the host look slightly less busy.
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
            _usual *= 0.95; // The overload is over, so forget it sooner than the mean would.
        }

        if (busiest < _limit / 2)
        {
            return; // The limit does not hold requests back, so latency says nothing about it.
        }

        var gradient = Math.Clamp(Tolerance * _usual / recent, 0.5, 1.0);
        var next = _limit * gradient + Math.Sqrt(_limit);
        _limit = Math.Clamp(_limit * (1 - Smoothing) + next * Smoothing, _floor, _ceiling);
        Volatile.Write(ref _current, (int)_limit);
    }
}
