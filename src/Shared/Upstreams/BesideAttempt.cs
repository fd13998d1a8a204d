using System.Diagnostics;

namespace Bff.Upstreams;

/// <summary>
/// A read's second attempt, which a timer starts beside the first. The first good answer of the two is the call's; the other one is
/// cancelled and says nothing.
/// </summary>
internal sealed class BesideAttempt(UpstreamPool pool, PooledCall call, TimeLimit first, CancellationToken cancellation)
{
    private const int Running = 0,
        Over = 1,
        Cancelled = 2;

    private CancellationTokenSource? _lost;
    private TaskCompletionSource<AttemptOutcome>? _outcome;
    private int _first;

    /// <summary>Where it went.</summary>
    public UpstreamAddress? Address { get; set; }

    /// <summary>It had a good answer first.</summary>
    public bool HasWon { get; private set; }

    /// <summary>The first attempt was there first.</summary>
    public bool HasLost { get; private set; }

    /// <summary>Cancelled when it has lost, or the caller no longer waits.</summary>
    public CancellationToken Token => _lost!.Token;

    /// <summary>The timer's: starts the attempt, where there may be one.</summary>
    public void Start()
    {
        if (cancellation.IsCancellationRequested || !pool.MayGoBeside(call, out var permit))
        {
            return;
        }

        _lost = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _outcome = new();
        call.Beside = this; // Last: the first attempt may end while this one still starts.
        var current = Activity.Current;
        Activity.Current = call.Parent; // A timer's thread belongs to no request.
        _ = Run(permit);
        Activity.Current = current;
    }

    /// <summary>The first attempt has ended: its limit is not cancelled any more, or just was.</summary>
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

    /// <summary>What the two attempts brought.</summary>
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

/// <summary>Starts a second attempt after a while.</summary>
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

    /// <summary>Waits for a start that is just happening.</summary>
    public void Dispose()
    {
        if (_isStarted)
        {
            _registration.Dispose();
            _timer.Dispose();
        }
    }
}
