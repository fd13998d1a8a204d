using System.Diagnostics;
using Bff.RateLimiting;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>
/// What the callers saw, by their own clock. The bucket gains from the first admission on, which the store decided before it was seen; and it was empty
/// at the last refusal, which the store decided after it was asked: so much, at least, must have been admitted.
/// </summary>
internal sealed class Admissions
{
    private readonly Stopwatch _running = Stopwatch.StartNew();
    private readonly Lock _lock = new();

    public TimeSpan Elapsed => _running.Elapsed;

    public long Admitted { get; private set; }

    public TimeSpan FirstAdmitted { get; private set; }

    public TimeSpan LastAdmitted { get; private set; }

    public TimeSpan LastRefused { get; private set; }

    public void Count(Verdict verdict, TimeSpan asked)
    {
        lock (_lock)
        {
            if (verdict == Verdict.Admitted)
            {
                LastAdmitted = Elapsed;
                FirstAdmitted = Admitted++ == 0 ? LastAdmitted : FirstAdmitted;
            }
            else if (verdict == Verdict.Refused && asked > LastRefused)
            {
                LastRefused = asked;
            }
        }
    }
}
