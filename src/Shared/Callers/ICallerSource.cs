using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Callers;

/// <summary>One kind of credential. Sources are asked in order of registration; the first that finds its credential decides.</summary>
public interface ICallerSource
{
    /// <summary>The challenge for <c>WWW-Authenticate</c> (RFC 9110 section 11.6.1) when no credential came; null for none.</summary>
    string? Challenge { get; }

    /// <summary>Reads and verifies the credential. Completes synchronously when the result is remembered.</summary>
    ValueTask<CallerResult> Resolve(HttpContext context);

    /// <summary>Returns the access token of the caller that <see cref="Resolve"/> has just found; empty for other credentials.</summary>
    internal CallerToken TokenOf(HttpContext context) => default;

    /// <summary>Whether the request's credential is remembered as good, without verifying it; null when it has none of this kind.</summary>
    internal bool? IsKnown(HttpContext context) => null;
}

/// <summary>The result of a source: no credential of its kind, a caller, or a refusal.</summary>
/// <param name="Caller">The verified caller.</param>
/// <param name="Refusal">The reason why the credential is refused.</param>
public readonly record struct CallerResult(Caller? Caller, Problem? Refusal)
{
    /// <summary>The request has no credential of this kind.</summary>
    public static readonly CallerResult None;

    /// <summary>Whether the next source is asked.</summary>
    public bool IsNone => Caller is null && Refusal is null;

    /// <summary>Returns the result for a good credential.</summary>
    public static CallerResult Ok(Caller caller) => new(caller, null);

    /// <summary>Returns the result for a bad credential.</summary>
    public static CallerResult Refused(ProblemCode code, string? detail = null) => new(null, new Problem(code) { Detail = detail });
}
