using System.Diagnostics;
using Bff.RateLimiting;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>
/// What the callers saw, by their own clock. The bucket gains from the first admission on, which the store decided before it was seen; and it was empty
/// at the last refusal, which the store decided after it was asked: so much, at least, must have been admitted. Where nobody was refused for so long that
/// the bucket filled (the store was away, or the machine too slow to ask for all of it), what it could not hold is not missed.
/// </summary>
internal sealed class Admissions(int burst, int perSecond)
{
    private readonly Stopwatch _running = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private TimeSpan? _first;
    private TimeSpan _emptyAt;
    private TimeSpan _refusedAt;
    private long _sinceEmpty;
    private double _overflow;

    public TimeSpan Elapsed => _running.Elapsed;

    public long Admitted { get; private set; }

    public double Least => burst + (perSecond * (_refusedAt - _first!.Value).TotalSeconds) - _overflow;

    public void Count(Verdict verdict, TimeSpan asked)
    {
        lock (_lock)
        {
            if (verdict == Verdict.Admitted)
            {
                _first ??= Elapsed;
                Admitted++;
                _sinceEmpty++;
            }
            else if (verdict == Verdict.Refused && asked > _refusedAt)
            {
                _refusedAt = asked;
                _overflow += _emptyAt == default ? 0 : Math.Max(0, (perSecond * (Elapsed - _emptyAt).TotalSeconds) - Math.Max(burst, _sinceEmpty));
                (_emptyAt, _sinceEmpty) = (asked, 0);
            }
        }
    }
}
