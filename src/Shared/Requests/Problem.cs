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
