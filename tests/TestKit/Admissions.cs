using System.Diagnostics;

namespace Bff.TestKit;

/// <summary>
/// What the callers saw, by their own clock. The bucket gains from the first admission on, which the store decided before it was seen; and
/// it was empty at the last refusal, which the store decided after it was asked: so much, at least, must have been admitted. Where nobody
/// was refused for so long that the bucket filled (the store was away, or the machine too slow to ask for all of it), what it could not
/// hold is not missed.
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

    /// <summary>What there can have been at most until now.</summary>
    public double Most => burst + (perSecond * Elapsed.TotalSeconds) + 1;

    public long Admitted { get; private set; }

    /// <summary>What must have been admitted at least.</summary>
    public double Least => burst + (perSecond * (_refusedAt - _first!.Value).TotalSeconds) - _overflow;

    /// <param name="isAdmitted">Or refused, for want of tokens.</param>
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
