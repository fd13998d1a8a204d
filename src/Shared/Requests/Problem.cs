using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Requests;

/// <summary>
/// One occurrence of an error, on its way to the client as <c>application/problem+json</c> (RFC 9457). Usable as an endpoint's result.
/// </summary>
/// <param name="code">Which error it is.</param>
public sealed class Problem(ProblemCode code) : IResult, IStatusCodeHttpResult
{
    /// <summary>Which error it is.</summary>
    public ProblemCode Code { get; } = code;

    /// <summary>
    /// About this occurrence, for the client's developer; the code's explanation when null. Never an internal name or secret.
    /// </summary>
    public string? Detail { get; init; }

    /// <summary>A service's own problem type, in place of the gateway's.</summary>
    public string? Type { get; init; }

    /// <summary>A service's own title, in place of the code's.</summary>
    public string? Title { get; init; }

    /// <summary>Becomes <c>Retry-After</c>, rounded up to whole seconds.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary><see cref="RetryAfter"/> in whole seconds, at least 1.</summary>
    internal long? RetryAfterSeconds => RetryAfter is { } delay ? Math.Max(1, (long)Math.Ceiling(delay.TotalSeconds)) : null;

    /// <summary>The composition part that failed.</summary>
    public string? Section { get; init; }

    /// <summary>Messages per member, in the JSON's own spelling; for <see cref="ProblemCodes.ValidationFailed"/>.</summary>
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>
    /// Further members (string, integer, boolean or string list values), such as <c>limit</c> and <c>violated-policies</c>.
    /// </summary>
    public IReadOnlyDictionary<string, object>? Extensions { get; init; }

    /// <inheritdoc />
    public int? StatusCode => Code.Status;

    /// <summary>Writes the problem unless the response has already started, in which case the connection is aborted.</summary>
    public Task ExecuteAsync(HttpContext httpContext) =>
        httpContext.RequestServices.GetRequiredService<IProblemWriter>().Write(httpContext, this);

    /// <summary>A single invalid member or parameter.</summary>
    public static Problem Invalid(string member, string message) =>
        new(ProblemCodes.ValidationFailed) { Errors = new Dictionary<string, string[]> { [member] = [message] } };
}

/// <summary>One kind of error that a gateway makes: its stable code, HTTP status and title (RFC 9457).</summary>
/// <param name="Code">Stable, machine-readable; the last segment of the problem's <c>type</c> URI.</param>
/// <param name="Status">HTTP status code.</param>
/// <param name="Title">The same for every occurrence.</param>
/// <param name="Explanation">What it means and what to do, shown on <c>/problems/&lt;code&gt;</c> and as the default <c>detail</c>.</param>
public sealed record ProblemCode(string Code, int Status, string Title, string Explanation)
{
    /// <inheritdoc />
    public override string ToString() => Code;
}

/// <summary>Carries a problem out of code that cannot return one; the edge answers with it.</summary>
/// <param name="problem">What the client is told.</param>
/// <param name="inner">The cause, for the log.</param>
#pragma warning disable CA1032 // Without a problem it would say nothing.
public sealed class ProblemException(Problem problem, Exception? inner = null) : Exception(problem.Code.Code, inner)
#pragma warning restore CA1032
{
    /// <summary>What the client is told.</summary>
    public Problem Problem { get; } = problem;
}

/// <summary>Writes a <see cref="Problem"/> in the form that the client understands.</summary>
internal interface IProblemWriter
{
    /// <summary>Answers with the problem. Aborts the connection when the answer has started.</summary>
    Task Write(HttpContext context, Problem problem);
}
