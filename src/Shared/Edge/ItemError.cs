using System.Text.Json.Serialization;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

/// <summary>Why one item of a batch request failed, with the members of a problem document (RFC 9457).</summary>
/// <param name="Type">URI of the problem type. It leads to a page that explains the problem.</param>
/// <param name="Title">Short name of the problem type.</param>
/// <param name="Status">HTTP status that a request with this item alone would get.</param>
/// <param name="Detail">Explanation of what is wrong with this item.</param>
/// <param name="Code">Machine-readable code of the problem type. It never changes.</param>
/// <param name="Errors">Messages by invalid member.</param>
public sealed record ItemError(
    string Type,
    string Title,
    int Status,
    string? Detail,
    string Code,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string[]>? Errors = null
)
{
    /// <summary>The problem, as an item of this request shows it.</summary>
    public static ItemError Of(Problem problem, HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        var code = problem.Code;
        return new(
            problem.Type ?? $"{PublicUrl.Of(context)}/problems/{code.Code}",
            problem.Title ?? code.Title,
            code.Status,
            problem.Detail ?? code.Explanation,
            code.Code,
            problem.Errors
        );
    }
}
