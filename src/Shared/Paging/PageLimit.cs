using System.Globalization;
using Bff.Requests;

namespace Bff.Paging;

/// <summary>Reads the query parameter <c>limit</c> of every list.</summary>
public static class PageLimit
{
    /// <summary>The limit if the parameter is missing.</summary>
    public const int Default = 20;

    /// <summary>The largest limit. A larger one is reduced to this.</summary>
    public const int Largest = 100;

    /// <summary>Returns a limit from 1 to <see cref="Largest"/>.</summary>
    /// <param name="limit">The parameter as sent by the client. Null if it is missing.</param>
    /// <exception cref="ProblemException">400 <c>validation_failed</c>: less than 1, or not a number.</exception>
    public static int Of(string? limit)
    {
        if (limit is null)
        {
            return Default;
        }

        if (limit.Length is > 0 and <= 300 && !limit.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            // A number with more digits than an int holds is still a number.
            var digits = limit.AsSpan().TrimStart('0');
            var number =
                digits.Length == 0 ? 0
                : digits.Length > 3 ? Largest
                : int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
            if (number >= 1)
            {
                return Math.Min(number, Largest);
            }
        }

        throw new ProblemException(Problem.Invalid("limit", "Must be a whole number of at least 1."));
    }
}
