using Polly;

namespace Bff.Upstreams;

/// <summary>
/// Holds the state of the attempts that a pool's pipeline makes for one call. The latest outcome is kept here until another attempt begins.
/// The pipeline's own result only says whether to go on: a refusal would replace it, and the retry strategy disposes of it before it
/// pauses.
/// </summary>
/// <param name="call">The call.</param>
/// <param name="further">Number of attempts that may follow the pipeline's first one.</param>
/// <param name="caller">Cancelled when the caller no longer waits.</param>
internal sealed class AttemptSeries(PooledCall call, int further, CancellationToken caller)
{
    private static readonly ResiliencePropertyKey<AttemptSeries> Key = new("bff.attempts");

    public PooledCall Call => call;

    public int Further => further;

    public CancellationToken Caller => caller;

    /// <summary>Outcome of a first attempt that ran by itself; null once the pipeline's first execution has returned it.</summary>
    public AttemptOutcome? MadeAlone
    {
        get;
        set => (field, Last) = (value, value ?? Last);
    }

    /// <summary>Permit for the next attempt, when the breaker gave it before the pipeline was started.</summary>
    public BreakerPermit? Permit { get; set; }

    /// <summary>State of the attempt when it runs beside a first one; otherwise null.</summary>
    public BesideAttempt? Beside { get; init; }

    /// <summary>Number of attempts that the pipeline has made.</summary>
    public int Made { get; private set; }

    /// <summary>Whether an attempt has been taken from the budget but not made yet.</summary>
    public bool HasTaken { get; set; }

    /// <summary>Outcome of the latest attempt.</summary>
    public AttemptOutcome Last { get; private set; } = new(null, AttemptEnd.Abandoned);

    /// <summary>Returns the series that the pipeline runs for.</summary>
    public static AttemptSeries Of(ResilienceContext context) => context.Properties.GetValue(Key, null!);

    /// <summary>Makes this series the one that the pipeline runs for.</summary>
    public void Enter(ResilienceContext context) => context.Properties.Set(Key, this);

    /// <summary>Records that another attempt begins, and disposes of the answer of the one before it.</summary>
    public void Begins()
    {
        Last.Dispose();
        Last = new(null, AttemptEnd.Failed);
        HasTaken = false;
        Made++;
    }

    /// <summary>Records the attempt's outcome.</summary>
    public void Ended(AttemptOutcome outcome) => Last = outcome;
}
