using Bff.Requests;
using Bff.Upstreams;
using Microsoft.Extensions.Logging;

namespace Bff.Composition;

/// <summary>
/// A part that changes something. 1. It is sent only while nothing has failed and the client waits; 2. once it is sent, another part's
/// failure does not cancel it, and where writes are undone the client's going does not either; 3. what the service's domain refuses (400,
/// 409, 410, 412, 422) is told in its own words; 4. where a part fails, the writes that succeeded are undone, the latest first, by the call
/// that they name.
/// </summary>
public partial class WritePart<T> : Part<T>
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5); // The request's deadline is the smaller one.
    private Func<T, CallContext, ValueTask<bool>>? _takeBack;

    internal WritePart(Composer composer, string name, UpstreamCall<T> call)
        : base(composer, name, isRequired: true, call) => Allowed = Longest;

    internal WritePart(Composer composer, string name, IReadOnlyCollection<Part> after, Func<UpstreamCall<T>?> later)
        : base(composer, name, isRequired: true, after, later) => Allowed = Longest;

    /// <summary>
    /// How long it may take with all its attempts. Default what is left of the request's deadline;
    /// <c>Composition:&lt;endpoint&gt;:&lt;part&gt;:Timeout</c> overrides.
    /// </summary>
    public WritePart<T> Timeout(TimeSpan atMost)
    {
        Allowed = atMost;
        return this;
    }

    /// <summary>Is sent after another part has a value, and only then; said again, after that one too.</summary>
    /// <param name="part">What it depends on. Where that failed this part fails as well.</param>
    /// <param name="when">Decides, with that value at hand, whether the write is wanted; said again, both must say so.</param>
    public WritePart<T> After(Part part, Func<bool>? when = null)
    {
        NeedsToo(part, when);
        return this;
    }

    /// <summary>Leaves the write out unless the condition holds, whatever else is said of it: <c>skipped</c>.</summary>
    public WritePart<T> OnlyIf(bool wanted)
    {
        IsWantedIf(wanted);
        return this;
    }

    /// <summary>Failures that mean something of their own to the client; null for the others.</summary>
    public WritePart<T> Refused(Func<UpstreamAnswer<T>, Problem?> problem)
    {
        IsRefusedAs(problem);
        return this;
    }

    /// <summary>
    /// The write that undoes this one where it has succeeded and another part fails. It is made once, also when the client has gone; the
    /// log says whether it could.
    /// </summary>
    public WritePart<T> TakenBackBy<TAnswer>(Func<T, UpstreamWrite<TAnswer>> call)
    {
        _takeBack = async (value, context) =>
            await call(value).Call.Make(context) is var answer && (answer.IsOk || answer.Status is 404 or 410);
        Composer.TakesBack = true;
        return this;
    }

    internal override bool Writes => true;

    // 4
    internal override async ValueTask TakeBack()
    {
        if (_takeBack is null || Value is not { } value)
        {
            return;
        }

        using var activity = CompositionTelemetry.Start("take back ", Name);
        var started = Composer.Time.GetTimestamp();
        var isUndone = false;
        try
        {
            isUndone = await _takeBack(value, Composer.LastCall());
        }
#pragma warning disable CA1031 // The request has failed already; the log says what is left.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(Composer.Logger, unexpected, Composer.Endpoint, Name);
        }

        activity?.SetTag("bff.part.status", CompositionTelemetry.TakenBack(isUndone));
        CompositionTelemetry.RecordTakenBack(Composer.Endpoint, Name, isUndone, Composer.Time.GetElapsedTime(started));
        if (isUndone)
        {
            LogTakenBack(Composer.Logger, Composer.Endpoint, Name);
        }
        else
        {
            LogStands(Composer.Logger, Composer.Endpoint, Name);
        }
    }

    // 1
    private protected override bool MayBegin()
    {
        if (Composer.HasFailed)
        {
            return false;
        }

        if (!Composer.Cancellation.IsCancellationRequested)
        {
            return true;
        }

        ComesTooLate();
        return false;
    }

    // 2
    private protected override CallContext ContextOf(long started, TimeSpan timeout) => Composer.WriteCall(started, timeout);

    // 3
    private protected override Problem Failure() => RefusedAs() ?? Answer.ToWriteProblem(Name);

    [LoggerMessage(1712, LogLevel.Warning, "Part {Part} of {Endpoint} was undone because another part failed", EventName = "WriteUndone")]
    private static partial void LogTakenBack(ILogger logger, string endpoint, string part);

    [LoggerMessage(
        1713,
        LogLevel.Error,
        "Part {Part} of {Endpoint} could not be undone after another part failed; its change stays in its service",
        EventName = "WriteNotUndone"
    )]
    private static partial void LogStands(ILogger logger, string endpoint, string part);
}
