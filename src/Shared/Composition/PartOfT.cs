using System.Runtime.CompilerServices;
using Bff.Caching;
using Bff.Concurrency;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.Extensions.Logging;

namespace Bff.Composition;

/// <summary>
/// A part with its policies and, after <see cref="Composer.Run"/>, its value. Base of <see cref="ReadPart{T}"/> and <see
/// cref="WritePart{T}"/>.
/// </summary>
public abstract partial class Part<T> : Part
{
    private readonly Func<UpstreamCall<T>?>? _later;
    private UpstreamCall<T>? _call;
    private List<Part>? _after;
    private Func<bool>? _when;
    private bool _isWanted = true;
    private Func<UpstreamAnswer<T>, Problem?>? _refused;
    private Part? _missing;
    private Task? _running;
    private T? _value;

    private protected Part(Composer composer, string name, bool isRequired, UpstreamCall<T> call)
        : base(composer, name, isRequired) => _call = call;

    private protected Part(Composer composer, string name, bool isRequired, IReadOnlyCollection<Part> after, Func<UpstreamCall<T>?> later)
        : base(composer, name, isRequired)
    {
        _after = [.. after];
        _later = later;
    }

    /// <summary>The part's data; null if the part has none for any reason.</summary>
    public T? Value => HasEnded ? _value : default;

    /// <summary>The service's answer.</summary>
    public UpstreamAnswer<T> Answer { get; private set; }

    /// <inheritdoc />
    public override bool HasValue => Value is not null;

    /// <inheritdoc />
    public override string? ETag => Answer.ETag;

    /// <inheritdoc />
    public override string? LastModified => Answer.LastModified;

    internal override bool IsPublic => _cache is { Value.Scope: CacheScope.Public };

    /// <summary>Timeout of the part if the configuration sets none.</summary>
    private protected TimeSpan Allowed { get; set; } = TimeSpan.FromSeconds(1);

    internal override Task Start() => _running ??= Run().AsTask();

    internal override Problem Reason() => _missing?.Reason() ?? Failure();

    private protected void NeedsToo(Part part, Func<bool>? when)
    {
        (_after ??= []).Add(part);
        var before = _when;
        _when = before is null || when is null ? before ?? when : () => before() && when();
    }

    private protected void IsWantedIf(bool wanted) => _isWanted &= wanted;

    private protected void IsRefusedAs(Func<UpstreamAnswer<T>, Problem?> problem) => _refused = problem;

    private protected Problem? RefusedAs() => _refused?.Invoke(Answer);

    /// <summary>Returns the problem that the client gets when this part fails.</summary>
    private protected virtual Problem Failure() => RefusedAs() ?? StaleCursor() ?? Answer.ToProblem(Name);

    /// <summary>Returns the context of the call: its caller and its deadline.</summary>
    private protected virtual CallContext ContextOf(long started, TimeSpan timeout) => Composer.Call(started, FirstOf(timeout));

    /// <summary>Returns whether the call may start. Other parts may have failed meanwhile.</summary>
    private protected virtual bool MayBegin() => true;

    /// <summary>Fails the part without a call, because the time is up or the client has disconnected.</summary>
    private protected void ComesTooLate()
    {
        Answer = UpstreamAnswer<T>.No(UpstreamOutcome.Timeout);
        Settle();
        Composer.Fail(Failure());
    }

    /// <summary>Runs the part and returns its status.</summary>
    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    private async ValueTask<PartStatus> Run()
    {
        if (!_isWanted || (_after is not null && !await HasWhatItNeeds(_after)))
        {
            End();
            return Status;
        }

        if (!IsStillWanted() || (_call ??= Later()) is not { } call || !MayBegin())
        {
            End();
            return Status;
        }

        using var activity = Composer.StartActivity(Name);
        var started = Composer.Time.GetTimestamp();
        var policy = Composer.PolicyOf(Name);
        var timeout = policy?.Timeout ?? Allowed;
        var kept = policy is { Enabled: false } ? null : Kept(call, policy);
        try
        {
            if (policy is { Enabled: false })
            {
                IsSwitchedOff = true;
                Answer = UpstreamAnswer<T>.No(UpstreamOutcome.Unavailable);
                _standIn = null; // An operator who disables a part wants it left out, not replaced.
                _otherwise = null;
            }
            else if (kept is null)
            {
                Answer = await call.Make(ContextOf(started, timeout));
                Became = PartStatus.Live;
            }
            else if (Composer.Cache.TryGet(kept.Value, out var fresh))
            {
                Take(fresh); // A fresh fragment needs neither a detached request nor a closure.
            }
            else
            {
                await AskThroughCache(call, kept.Value, FirstOf(timeout));
            }
        }
        catch (Exception late) when (late is OperationCanceledException or TimeoutException)
        {
            Answer = UpstreamAnswer<T>.No(UpstreamOutcome.Timeout);
        }
        catch (Exception fault) when (Composer.IsClientFault(fault))
        {
            Answer = UpstreamAnswer<T>.No(UpstreamOutcome.Failed);
        }
#pragma warning disable CA1031 // A projection that throws fails the part, not the request.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(Composer.Logger, unexpected, Composer.Endpoint, Name);
            Answer = UpstreamAnswer<T>.No(UpstreamOutcome.Failed);
        }

        if (Answer.IsFailure && kept is not null && Composer.Cache.TryStandIn(kept.Value, out var stale))
        {
            Take(stale); // The timeout passed before the cache saw the failure.
        }

        if (Answer.IsFailure && _otherwise is not null && !Composer.HasFailed)
        {
            await AskTheOther(_otherwise, started, timeout);
        }

        Settle();
        Latency = Composer.Time.GetElapsedTime(started);
        End();
        activity?.SetTag("bff.part.status", CompositionTelemetry.StatusOf(this));
        if (IsRequired && Value is null)
        {
            Composer.Fail(Failure());
        }

        return Status;
    }

    private void Settle()
    {
        _value = Answer.Value;
        if (Answer.IsOk)
        {
            Became = Answer.FromFallback ? PartStatus.Fallback : Became;
            return;
        }

        // A 404 is not a failure of an optional part: the service answered that there is no data.
        Became = Answer.Outcome switch
        {
            _ when Answer.IsGone => PartStatus.Live,
            UpstreamOutcome.Timeout => PartStatus.Timeout,
            UpstreamOutcome.Unavailable => PartStatus.Unavailable,
            _ => PartStatus.Failed,
        };
        if (Became != PartStatus.Live)
        {
            StandIn();
        }
    }

    private void StandIn()
    {
        if (_standIn is null || Composer.HasFailed)
        {
            return; // The response is already a problem, and the values of other parts may be missing.
        }

        try
        {
            if (_standIn() is { } value)
            {
                _value = value;
                Became = PartStatus.Fallback;
            }
        }
#pragma warning disable CA1031 // A fallback that throws is treated as absent.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(Composer.Logger, unexpected, Composer.Endpoint, Name);
        }
    }

    [LoggerMessage(
        1711,
        LogLevel.Error,
        "Part {Part} of {Endpoint} failed because of an unexpected error; it is answered like a part whose call failed",
        EventName = "PartFailedUnexpectedly"
    )]
    private protected static partial void LogUnexpected(ILogger logger, Exception exception, string endpoint, string part);
}
