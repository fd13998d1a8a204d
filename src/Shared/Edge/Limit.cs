using System.Globalization;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Bff.Edge;

/// <summary>
/// The <c>limit</c> of every list: 1 to 100, default 20. A larger value becomes 100; a value below 1 or not a number is refused. Endpoints
/// can take it as a parameter.
/// </summary>
/// <param name="Value">The number of items that the client wants, 1 to 100.</param>
public readonly record struct Limit(int Value)
{
    /// <summary>The value when the client gives none.</summary>
    public const int Default = 20;

    /// <summary>The value that larger ones become.</summary>
    public const int Max = 100;

    private static readonly Problem Invalid = Problem.Invalid("limit", "Must be a whole number from 1 to 100.");

    /// <summary>Reads the query parameter. Returns false with a 400 <c>validation_failed</c> that names <paramref name="name"/>.</summary>
    public static bool TryParse(StringValues values, out Limit limit, out Problem? problem, string name = "limit")
    {
        problem = null;
        limit = new(Default);
        if (values.Count == 0)
        {
            return true;
        }

        if (values is [{ Length: > 0 } text] && !text.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            var digits = text.AsSpan().TrimStart('0');
            if (digits.Length > 0)
            {
                limit = new(digits.Length > 3 ? Max : Math.Min(Max, int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture)));
                return true;
            }
        }

        problem = name == "limit" ? Invalid : Problem.Invalid(name, "Must be a whole number from 1 to 100.");
        return false;
    }

    /// <summary>Reads the request's <c>limit</c>.</summary>
    /// <exception cref="ProblemException">400 <c>validation_failed</c>.</exception>
    public static Limit Parse(HttpContext context) =>
        TryParse(context.Request.Query["limit"], out var limit, out var problem) ? limit : throw new ProblemException(problem!);

    /// <summary>Lets endpoints take it as a parameter.</summary>
    public static ValueTask<Limit> BindAsync(HttpContext context) => new(Parse(context));
}
