using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Requests;

/// <summary>
/// One occurrence of an error, sent to the client as <c>application/problem+json</c> (RFC 9457). Usable as an endpoint's result.
/// </summary>
/// <param name="code">The kind of error.</param>
public sealed class Problem(ProblemCode code) : IResult, IStatusCodeHttpResult
{
    /// <summary>The kind of error.</summary>
    public ProblemCode Code { get; } = code;

    /// <summary>
    /// Explains this occurrence to the client's developer. If null, the code's explanation is used. Never contains an internal name or a
    /// secret.
    /// </summary>
    public string? Detail { get; init; }

    /// <summary>A service's own problem type, which replaces the gateway's.</summary>
    public string? Type { get; init; }

    /// <summary>A service's own title, which replaces the code's.</summary>
    public string? Title { get; init; }

    /// <summary>Value of <c>Retry-After</c>, rounded up to whole seconds.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary><see cref="RetryAfter"/> in whole seconds, at least 1.</summary>
    internal long? RetryAfterSeconds => RetryAfter is { } delay ? Math.Max(1, (long)Math.Ceiling(delay.TotalSeconds)) : null;

    /// <summary>The composition part that failed.</summary>
    public string? Section { get; init; }

    /// <summary>Messages per member, with member names spelled as in the JSON. For <see cref="ProblemCodes.ValidationFailed"/>.</summary>
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>
    /// Further members, such as <c>limit</c> and <c>violated-policies</c>. Their values are strings, integers, booleans or lists of
    /// strings.
    /// </summary>
    public IReadOnlyDictionary<string, object>? Extensions { get; init; }

    /// <inheritdoc />
    public int? StatusCode => Code.Status;

    /// <summary>Writes the problem. If the response has already started, aborts the connection.</summary>
    public Task ExecuteAsync(HttpContext httpContext) =>
        httpContext.RequestServices.GetRequiredService<IProblemWriter>().Write(httpContext, this);

    /// <summary>Returns a problem for one invalid member or parameter.</summary>
    public static Problem Invalid(string member, string message) =>
        new(ProblemCodes.ValidationFailed) { Errors = new Dictionary<string, string[]> { [member] = [message] } };
}

/// <summary>One kind of error that a gateway makes, with its stable code, HTTP status and title (RFC 9457).</summary>
/// <param name="Code">The stable, machine-readable code: the last segment of the problem's <c>type</c> URI.</param>
/// <param name="Status">The HTTP status code.</param>
/// <param name="Title">The title, the same for every occurrence.</param>
/// <param name="Explanation">
/// The meaning and the remedy, shown on <c>/problems/&lt;code&gt;</c> and used as the default <c>detail</c>.
/// </param>
public sealed record ProblemCode(string Code, int Status, string Title, string Explanation)
{
    /// <inheritdoc />
    public override string ToString() => Code;
}

/// <summary>Carries a problem out of code that cannot return one. The edge answers with it.</summary>
/// <param name="problem">The problem that the client receives.</param>
/// <param name="inner">The cause, for the log.</param>
#pragma warning disable CA1032 // An exception without a problem would carry no information.
public sealed class ProblemException(Problem problem, Exception? inner = null) : Exception(problem.Code.Code, inner)
#pragma warning restore CA1032
{
    /// <summary>The problem that the client receives.</summary>
    public Problem Problem { get; } = problem;
}

/// <summary>Writes a <see cref="Problem"/> in the form that the client understands.</summary>
internal interface IProblemWriter
{
    /// <summary>Answers with the problem. If the answer has already started, aborts the connection.</summary>
    Task Write(HttpContext context, Problem problem);
}
