using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Callers;

/// <summary>
/// One kind of credential. Sources are asked in order of registration; the first that finds its credential on the request decides.
/// </summary>
public interface ICallerSource
{
    /// <summary>
    /// The challenge for <c>WWW-Authenticate</c> (RFC 9110 section 11.6.1) when no credential came; null: none of its own.
    /// </summary>
    string? Challenge { get; }

    /// <summary>Reads and verifies the credential. Completes synchronously when the answer is remembered.</summary>
    ValueTask<CallerResult> Resolve(HttpContext context);

    /// <summary>The access token of the caller that <see cref="Resolve"/> has just found; none where the credential is no token.</summary>
    internal CallerToken TokenOf(HttpContext context) => default;

    /// <summary>Whether the request's credential is remembered as good, without verifying it; null: it carries none of this kind.</summary>
    internal bool? IsKnown(HttpContext context) => null;
}

/// <summary>What a source found: no credential of its kind, a caller, or a refusal.</summary>
/// <param name="Caller">The verified caller.</param>
/// <param name="Refusal">Why the credential is refused.</param>
public readonly record struct CallerResult(Caller? Caller, Problem? Refusal)
{
    /// <summary>The request carries no credential of this kind.</summary>
    public static readonly CallerResult None;

    /// <summary>True when the next source is to be asked.</summary>
    public bool IsNone => Caller is null && Refusal is null;

    /// <summary>The credential is good.</summary>
    public static CallerResult Ok(Caller caller) => new(caller, null);

    /// <summary>The credential is not good.</summary>
    public static CallerResult Refused(ProblemCode code, string? detail = null) => new(null, new Problem(code) { Detail = detail });
}
