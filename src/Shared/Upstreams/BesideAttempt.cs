using System.Diagnostics;

namespace Bff.Upstreams;

/// <summary>
/// A read's second attempt (a hedge), which a timer starts beside the first. The call gets the first good answer of the two. The other
/// attempt is cancelled, and its end says nothing of the service.
/// </summary>
internal sealed class BesideAttempt(UpstreamPool pool, PooledCall call, TimeLimit first, CancellationToken cancellation)
{
    private const int Running = 0,
        Over = 1,
        Cancelled = 2;

    private CancellationTokenSource? _lost;
    private TaskCompletionSource<AttemptOutcome>? _outcome;
    private int _first;

    /// <summary>The address that it was sent to.</summary>
    public UpstreamAddress? Address { get; set; }

    /// <summary>Whether it had a good answer before the first attempt ended.</summary>
    public bool HasWon { get; private set; }

    /// <summary>Whether the first attempt ended the call.</summary>
    public bool HasLost { get; private set; }

    /// <summary>Cancelled when it has lost, or when the caller no longer waits.</summary>
    public CancellationToken Token => _lost!.Token;

    /// <summary>Starts the attempt if one is allowed. The timer calls it.</summary>
    public void Start()
    {
        if (cancellation.IsCancellationRequested || !pool.MayGoBeside(call, out var permit))
        {
            return;
        }

        _lost = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _outcome = new();
        call.Beside = this; // Assigned last, because the first attempt may end while this one is still starting.
        var current = Activity.Current;
        Activity.Current = call.Parent; // A timer's thread has no current activity of the request.
        _ = Run(permit);
        Activity.Current = current;
    }

    /// <summary>
    /// Disposes of the limit of the first attempt, which has ended. If this attempt has just cancelled it, it is not used again.
    /// </summary>
    public void Leave(TimeLimit limit)
    {
        if (Interlocked.CompareExchange(ref _first, Over, Running) == Running)
        {
            limit.Dispose();
        }
        else
        {
            limit.Abandon();
        }
    }

    /// <summary>Returns the outcome that counts. Unless the first attempt ended the call, waits for this one.</summary>
    /// <param name="one">Outcome of the first attempt.</param>
    public async ValueTask<AttemptOutcome> Settle(AttemptOutcome one)
    {
        if (one.End is AttemptEnd.Good or AttemptEnd.Abandoned)
        {
            HasLost = true;
            _ = Forget();
            return one;
        }

        var other = await _outcome!.Task;
        _lost!.Dispose();
        one.Dispose();
        return other;
    }

    private async Task Run(BreakerPermit permit)
    {
        var outcome = await pool.Further.MakeBeside(call, permit, this, cancellation);
        if (outcome.End == AttemptEnd.Good)
        {
            HasWon = true;
            if (Interlocked.CompareExchange(ref _first, Cancelled, Running) == Running)
            {
                first.Cancel();
            }
        }

        _outcome!.SetResult(outcome);
    }

    private async Task Forget()
    {
        await _lost!.CancelAsync();
        (await _outcome!.Task).Dispose();
        _lost.Dispose();
    }
}

/// <summary>Starts a second attempt after a delay.</summary>
internal readonly struct BesideTimer : IDisposable
{
    private readonly TimeLimit _timer;
    private readonly CancellationTokenRegistration _registration;
    private readonly bool _isStarted;

    private BesideTimer(BesideAttempt beside, TimeSpan delay, TimeProvider time)
    {
        _timer = TimeLimit.Start(delay, time, default);
        _registration = _timer.Token.UnsafeRegister(static beside => ((BesideAttempt)beside!).Start(), beside);
        _isStarted = true;
    }

    public static BesideTimer Start(BesideAttempt beside, TimeSpan delay, TimeProvider time) => new(beside, delay, time);

    /// <summary>Stops the timer. Waits for a start that is in progress.</summary>
    public void Dispose()
    {
        if (_isStarted)
        {
            _registration.Dispose();
            _timer.Dispose();
        }
    }
}
