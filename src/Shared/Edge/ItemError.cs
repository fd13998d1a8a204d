using System.Text.Json.Serialization;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

/// <summary>Why one item of a request that has many did not succeed; the members are those of a problem document (RFC 9457).</summary>
/// <param name="Type">The problem's kind.</param>
/// <param name="Title">The kind in words.</param>
/// <param name="Status">The HTTP status that the item would have had alone.</param>
/// <param name="Detail">What is wrong with this item.</param>
/// <param name="Code">The problem's code.</param>
/// <param name="Errors">What is wrong with which member.</param>
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
