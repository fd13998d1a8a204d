using Polly;

namespace Bff.Upstreams;

/// <summary>
/// The attempts of one call that a pool's pipeline makes. What the latest of them brought stands until another one begins: the pipeline's
/// own result says only whether to go on, because a refusal takes its place, and a retry disposes of it before it pauses.
/// </summary>
/// <param name="call">The call.</param>
/// <param name="further">How many attempts may be made after the pipeline's first.</param>
/// <param name="caller">Cancelled when the caller no longer waits.</param>
internal sealed class AttemptSeries(PooledCall call, int further, CancellationToken caller)
{
    private static readonly ResiliencePropertyKey<AttemptSeries> Key = new("bff.attempts");

    public PooledCall Call => call;

    public int Further => further;

    public CancellationToken Caller => caller;

    /// <summary>The first attempt, where it ran by itself, until the pipeline's first execution has given it back.</summary>
    public AttemptOutcome? MadeAlone
    {
        get;
        set => (field, Last) = (value, value ?? Last);
    }

    /// <summary>The breaker's leave for the next attempt, where it was given before the pipeline was started.</summary>
    public BreakerPermit? Permit { get; set; }

    /// <summary>The attempt, where it runs beside a first one.</summary>
    public BesideAttempt? Beside { get; init; }

    /// <summary>How many attempts the pipeline has made.</summary>
    public int Made { get; private set; }

    /// <summary>Whether an attempt was taken from the budget that has not been made yet.</summary>
    public bool HasTaken { get; set; }

    /// <summary>What the latest attempt brought.</summary>
    public AttemptOutcome Last { get; private set; } = new(null, AttemptEnd.Abandoned);

    /// <summary>The one that the pipeline runs for.</summary>
    public static AttemptSeries Of(ResilienceContext context) => context.Properties.GetValue(Key, null!);

    /// <summary>The pipeline runs for it.</summary>
    public void Enter(ResilienceContext context) => context.Properties.Set(Key, this);

    /// <summary>Another attempt begins: the answer to the one before it goes to nobody.</summary>
    public void Begins()
    {
        Last.Dispose();
        Last = new(null, AttemptEnd.Failed);
        HasTaken = false;
        Made++;
    }

    /// <summary>The attempt has ended.</summary>
    public void Ended(AttemptOutcome outcome) => Last = outcome;
}
