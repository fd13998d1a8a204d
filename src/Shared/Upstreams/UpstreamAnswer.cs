using System.Diagnostics.CodeAnalysis;
using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>How a call to an upstream ended.</summary>
public enum UpstreamOutcome
{
    /// <summary>A 2xx answer that could be read.</summary>
    Ok,

    /// <summary>404 or 403: for the caller it does not exist.</summary>
    NotFound,

    /// <summary>Another 4xx; <see cref="UpstreamAnswer{T}.Status"/> says which.</summary>
    Rejected,

    /// <summary>5xx, connection reset or refused, garbage, too large.</summary>
    Failed,

    /// <summary>No whole answer within the attempt's or the request's time.</summary>
    Timeout,

    /// <summary>Not asked: the breaker is open, the bulkhead is full, or the part is switched off.</summary>
    Unavailable,
}

/// <summary>What outcomes mean to clients.</summary>
internal static class UpstreamOutcomes
{
    /// <summary>The problem that an answer which is needed and not there becomes, in a composition and on a route.</summary>
    /// <param name="outcome">Why it is not there.</param>
    /// <param name="retryAfter">When to try again; null: not known.</param>
    /// <param name="section">The part's name; null: it is no part.</param>
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

/// <summary>A value or the reason why there is none: a missing part is a value, not an exception.</summary>
/// <typeparam name="T">What the gateway reads of the upstream's document.</typeparam>
public readonly record struct UpstreamAnswer<T>
{
    private readonly ushort _status;
    private readonly Told? _told;

    /// <summary>How the call ended.</summary>
    public UpstreamOutcome Outcome { get; private init; }

    /// <summary>The document; set when <see cref="Outcome"/> is <see cref="UpstreamOutcome.Ok"/>.</summary>
    public T? Value { get; private init; }

    /// <summary>The upstream's HTTP status; 0 when there was none.</summary>
    public int Status
    {
        get => _status;
        private init => _status = (ushort)value;
    }

    /// <summary>When to try again, where the upstream or the breaker said so.</summary>
    public TimeSpan? RetryAfter
    {
        get => _told?.RetryAfter;
        private init => _told = value == RetryAfter ? _told : (_told ?? Told.Nothing) with { RetryAfter = value };
    }

    /// <summary>The service's own problem document, where it refused with one.</summary>
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

    /// <summary>True when the upstream's <c>Fallback</c> gave the value.</summary>
    public bool FromFallback { get; init; }

    /// <summary>True when there is a value.</summary>
#pragma warning disable CS8775 // Ok takes no null.
    [MemberNotNullWhen(true, nameof(Value))]
    public bool IsOk => Outcome == UpstreamOutcome.Ok;
#pragma warning restore CS8775

    /// <summary>True when the service says that for the caller there is nothing (404, 403) or nothing any more (410).</summary>
    public bool IsGone => Outcome == UpstreamOutcome.NotFound || (Outcome == UpstreamOutcome.Rejected && Status == 410);

    /// <summary>True when the service failed, was not asked, or refused: neither a value nor the word that there is none.</summary>
    public bool IsFailure => !IsOk && !IsGone;

    /// <summary>A good answer.</summary>
    public static UpstreamAnswer<T> Ok(T value, int status = 200) =>
        new()
        {
            Outcome = UpstreamOutcome.Ok,
            Value = value,
            Status = status,
        };

    /// <summary>No answer.</summary>
    public static UpstreamAnswer<T> No(UpstreamOutcome outcome, int status = 0, TimeSpan? retryAfter = null) =>
        new()
        {
            Outcome = outcome,
            Status = status,
            RetryAfter = retryAfter,
        };

    /// <summary>The same failure for another type.</summary>
    public UpstreamAnswer<TOther> As<TOther>() =>
        UpstreamAnswer<TOther>.No(Outcome, Status, RetryAfter) with
        {
            ServiceProblem = ServiceProblem,
        };

    /// <summary>The same answer with its value projected; failures stay as they are.</summary>
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

    /// <summary>The problem that a required part's failure becomes.</summary>
    /// <param name="section">The part's name.</param>
    public Problem ToProblem(string? section) => IsGone ? new Problem(ProblemCodes.NotFound) : Outcome.ToProblem(RetryAfter, section);

    /// <summary>
    /// The problem that a refused write becomes: where the service's domain refused (400, 409, 410, 412, 422) its own type, title and
    /// detail pass through; anything else is as for a required part.
    /// </summary>
    /// <param name="section">The part's name.</param>
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

    // A service's text goes to clients: no more of it than a reader needs.
    private static string? Bounded(string? text) =>
        text is { Length: > 2000 } ? text[..2000]
        : string.IsNullOrWhiteSpace(text) ? null
        : text;
}

/// <summary>
/// What few services say beside the document. Apart from the answer, which is copied into whatever waits for it and would carry the room of
/// all this.
/// </summary>
internal sealed record Told(TimeSpan? RetryAfter, ServiceProblem? Problem, Uri? Location, string? ETag, string? LastModified)
{
    public static readonly Told Nothing = new(null, null, null, null, null);
}
