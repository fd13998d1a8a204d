using System.Diagnostics;

namespace Bff.TestKit;

/// <summary>
/// Computes how many requests a token bucket can and must have admitted, from what the callers saw by their own clock. The bucket refills
/// from the first admission on, which the store decided before a caller saw it. It was empty at the last refusal, which the store decided
/// after the request was sent; so at least that much must have been admitted. If nobody was refused for so long that the bucket filled up
/// (the store was unavailable, or the machine too slow to request everything), what it could not hold is not expected.
/// </summary>
public sealed class Admissions(int burst, int perSecond)
{
    private readonly Stopwatch _running = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private TimeSpan? _first;
    private TimeSpan _emptyAt;
    private TimeSpan _refusedAt;
    private long _sinceEmpty;
    private double _overflow;

    public TimeSpan Elapsed => _running.Elapsed;

    /// <summary>Maximum that can have been admitted until now.</summary>
    public double Most => burst + (perSecond * Elapsed.TotalSeconds) + 1;

    public long Admitted { get; private set; }

    /// <summary>Minimum that must have been admitted.</summary>
    public double Least => burst + (perSecond * (_refusedAt - _first!.Value).TotalSeconds) - _overflow;

    /// <param name="isAdmitted">Whether the request was admitted, or else refused for lack of tokens.</param>
    /// <param name="asked">When the request was sent.</param>
    public void Count(bool isAdmitted, TimeSpan asked)
    {
        lock (_lock)
        {
            if (isAdmitted)
            {
                _first ??= Elapsed;
                Admitted++;
                _sinceEmpty++;
            }
            else if (asked > _refusedAt)
            {
                _refusedAt = asked;
                _overflow +=
                    _emptyAt == default ? 0 : Math.Max(0, (perSecond * (Elapsed - _emptyAt).TotalSeconds) - Math.Max(burst, _sinceEmpty));
                (_emptyAt, _sinceEmpty) = (asked, 0);
            }
        }
    }
}
