using Bff.Requests;
using Bff.Upstreams;
using Microsoft.Extensions.Logging;

namespace Bff.Composition;

/// <summary>
/// A part that changes something. 1. It is sent only if nothing has failed and the client is still connected; 2. once sent, another part's
/// failure does not cancel it, and if writes are undone, a disconnected client does not either; 3. the service's refusals (400, 409, 410,
/// 412, 422) reach the client in the service's words; 4. if a part fails, the writes that succeeded are undone, the latest first, by the
/// calls that they declare.
/// </summary>
public partial class WritePart<T> : Part<T>
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5); // The request's deadline is shorter.
    private Func<T, CallContext, ValueTask<bool>>? _takeBack;

    internal WritePart(Composer composer, string name, UpstreamCall<T> call)
        : base(composer, name, isRequired: true, call) => Allowed = Longest;

    internal WritePart(Composer composer, string name, IReadOnlyCollection<Part> after, Func<UpstreamCall<T>?> later)
        : base(composer, name, isRequired: true, after, later) => Allowed = Longest;

    /// <summary>
    /// Sets the timeout of all attempts together. Default: what is left of the request's deadline;
    /// <c>Composition:&lt;endpoint&gt;:&lt;part&gt;:Timeout</c> overrides it.
    /// </summary>
    public WritePart<T> Timeout(TimeSpan atMost)
    {
        Allowed = atMost;
        return this;
    }

    /// <summary>Sends the write after another part, and only if that has a value. Repeated calls add dependencies.</summary>
    /// <param name="part">The dependency. If it failed, this part fails as well.</param>
    /// <param name="when">Decides whether the write is wanted, once the dependency has its value; all conditions must hold.</param>
    public WritePart<T> After(Part part, Func<bool>? when = null)
    {
        NeedsToo(part, when);
        return this;
    }

    /// <summary>Skips the write unless the condition holds; status <c>skipped</c>.</summary>
    public WritePart<T> OnlyIf(bool wanted)
    {
        IsWantedIf(wanted);
        return this;
    }

    /// <summary>Maps failures to problems of their own; null keeps the default problem.</summary>
    public WritePart<T> Refused(Func<UpstreamAnswer<T>, Problem?> problem)
    {
        IsRefusedAs(problem);
        return this;
    }

    /// <summary>
    /// Sets the write that undoes this one if it succeeded and another part fails. It is sent once, even after the client has disconnected;
    /// the log says whether it succeeded.
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
#pragma warning disable CA1031 // The request has failed already; the log says that the write stands.
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
        "Part {Part} of {Endpoint} could not be undone after another part failed; its change remains in its service",
        EventName = "WriteNotUndone"
    )]
    private static partial void LogStands(ILogger logger, string endpoint, string part);
}
