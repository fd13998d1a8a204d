using System.Diagnostics.CodeAnalysis;
using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>How a call to an upstream ended.</summary>
public enum UpstreamOutcome
{
    /// <summary>A 2xx answer that could be read.</summary>
    Ok,

    /// <summary>404 or 403: for the caller the resource does not exist.</summary>
    NotFound,

    /// <summary>Another 4xx; see <see cref="UpstreamAnswer{T}.Status"/>.</summary>
    Rejected,

    /// <summary>5xx, connection reset or refused, or a body that is invalid or too large.</summary>
    Failed,

    /// <summary>No complete answer within the time of the attempt or the request.</summary>
    Timeout,

    /// <summary>The service was not called: the breaker is open, the bulkhead is full, or the part is disabled.</summary>
    Unavailable,
}

/// <summary>Converts outcomes into problems for clients.</summary>
internal static class UpstreamOutcomes
{
    /// <summary>Returns the problem for a missing answer that is required, in a composition or on a route.</summary>
    /// <param name="outcome">Why the answer is missing.</param>
    /// <param name="retryAfter">When to try again; null if unknown.</param>
    /// <param name="section">Name of the part; null on a route.</param>
    public static Problem ToProblem(this UpstreamOutcome outcome, TimeSpan? retryAfter, string? section) =>
        outcome switch
        {
            UpstreamOutcome.Timeout => new(ProblemCodes.UpstreamTimeout) { Section = section },
            UpstreamOutcome.Unavailable => new(ProblemCodes.UpstreamUnavailable)
            {
                Section = section,
                RetryAfter = retryAfter ?? TimeSpan.FromSeconds(1),
            },
            _ => new(ProblemCodes.UpstreamFailed) { Section = section, RetryAfter = retryAfter },
        };
}

/// <summary>A value, or the reason why there is none: a missing part is a value, not an exception.</summary>
/// <typeparam name="T">The type that the upstream's document is read as.</typeparam>
public readonly record struct UpstreamAnswer<T>
{
    private readonly ushort _status;
    private readonly Told? _told;

    /// <summary>How the call ended.</summary>
    public UpstreamOutcome Outcome { get; private init; }

    /// <summary>The document; set when <see cref="Outcome"/> is <see cref="UpstreamOutcome.Ok"/>.</summary>
    public T? Value { get; private init; }

    /// <summary>The upstream's HTTP status; 0 if there was none.</summary>
    public int Status
    {
        get => _status;
        private init => _status = (ushort)value;
    }

    /// <summary>When to try again, if the upstream or the breaker said so.</summary>
    public TimeSpan? RetryAfter
    {
        get => _told?.RetryAfter;
        private init => _told = value == RetryAfter ? _told : (_told ?? Told.Nothing) with { RetryAfter = value };
    }

    /// <summary>The problem document with which the service refused, if any.</summary>
    public ServiceProblem? ServiceProblem
    {
        get => _told?.Problem;
        init => _told = value == ServiceProblem ? _told : (_told ?? Told.Nothing) with { Problem = value };
    }

    /// <summary>The answer's <c>Location</c>.</summary>
    public Uri? Location
    {
        get => _told?.Location;
        init => _told = ReferenceEquals(value, Location) ? _told : (_told ?? Told.Nothing) with { Location = value };
    }

    /// <summary>The answer's <c>ETag</c> as the service wrote it (RFC 9110 section 8.8.3).</summary>
    public string? ETag
    {
        get => _told?.ETag;
        init => _told = value == ETag ? _told : (_told ?? Told.Nothing) with { ETag = value };
    }

    /// <summary>The answer's <c>Last-Modified</c> as the service wrote it (RFC 9110 section 8.8.2).</summary>
    public string? LastModified
    {
        get => _told?.LastModified;
        init => _told = value == LastModified ? _told : (_told ?? Told.Nothing) with { LastModified = value };
    }

    /// <summary>Whether the value comes from the upstream's <c>Fallback</c>.</summary>
    public bool FromFallback { get; init; }

    /// <summary>Whether there is a value.</summary>
#pragma warning disable CS8775 // Ok is never called with null.
    [MemberNotNullWhen(true, nameof(Value))]
    public bool IsOk => Outcome == UpstreamOutcome.Ok;
#pragma warning restore CS8775

    /// <summary>Whether the service says that nothing exists for the caller (404, 403), or no longer exists (410).</summary>
    public bool IsGone => Outcome == UpstreamOutcome.NotFound || (Outcome == UpstreamOutcome.Rejected && Status == 410);

    /// <summary>
    /// Whether the service failed, was not called, or refused: there is neither a value nor the statement that none exists.
    /// </summary>
    public bool IsFailure => !IsOk && !IsGone;

    /// <summary>Returns a successful answer.</summary>
    public static UpstreamAnswer<T> Ok(T value, int status = 200) =>
        new()
        {
            Outcome = UpstreamOutcome.Ok,
            Value = value,
            Status = status,
        };

    /// <summary>Returns a failure.</summary>
    public static UpstreamAnswer<T> No(UpstreamOutcome outcome, int status = 0, TimeSpan? retryAfter = null) =>
        new()
        {
            Outcome = outcome,
            Status = status,
            RetryAfter = retryAfter,
        };

    /// <summary>Returns the same failure for another type.</summary>
    public UpstreamAnswer<TOther> As<TOther>() =>
        UpstreamAnswer<TOther>.No(Outcome, Status, RetryAfter) with
        {
            ServiceProblem = ServiceProblem,
        };

    /// <summary>Returns the same answer with its value projected; failures are unchanged.</summary>
    public UpstreamAnswer<TOther> Map<TOther>(Func<T, TOther> project) =>
        IsOk
            ? UpstreamAnswer<TOther>.Ok(project(Value), Status) with
            {
                FromFallback = FromFallback,
                Location = Location,
                ETag = ETag,
                LastModified = LastModified,
            }
            : As<TOther>();

    /// <summary>Returns the problem for the failure of a required part.</summary>
    /// <param name="section">Name of the part.</param>
    public Problem ToProblem(string? section) => IsGone ? new Problem(ProblemCodes.NotFound) : Outcome.ToProblem(RetryAfter, section);

    /// <summary>
    /// Returns the problem for a refused write. If the service's domain refused it (400, 409, 410, 412, 422), the service's type, title and
    /// detail pass through; anything else is treated as for a required part.
    /// </summary>
    /// <param name="section">Name of the part.</param>
    public Problem ToWriteProblem(string? section) =>
        Outcome == UpstreamOutcome.Rejected && Status is 400 or 409 or 410 or 412 or 422
            ? new Problem(
                (Status == 410 ? null : ProblemCodes.ForStatus(Status))
                    ?? new ProblemCode("gone", Status, "Gone", "The resource is no longer there.")
            )
            {
                Type = Bounded(ServiceProblem?.Type),
                Title = Bounded(ServiceProblem?.Title),
                Detail = Bounded(ServiceProblem?.Detail),
            }
            : ToProblem(section);

    // Limits the service's text that goes to clients.
    private static string? Bounded(string? text) =>
        text is { Length: > 2000 } ? text[..2000]
        : string.IsNullOrWhiteSpace(text) ? null
        : text;
}

/// <summary>
/// Rare details beside the document. A separate object, because the answer is a struct that is copied into everything that waits for it.
/// </summary>
internal sealed record Told(TimeSpan? RetryAfter, ServiceProblem? Problem, Uri? Location, string? ETag, string? LastModified)
{
    public static readonly Told Nothing = new(null, null, null, null, null);
}
