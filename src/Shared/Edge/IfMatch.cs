using System.Text;

namespace Bff.Edge;

/// <summary>
/// The <c>If-Match</c> of a change (RFC 9110 section 13.1.1), for the service that receives it: <c>[FromHeader(Name = "If-Match")] IfMatch?
/// ifMatch</c>. The gateway makes a tag weak when it compresses a response, and a weak tag never matches. This type restores the tag that
/// the service wrote.
/// </summary>
/// <param name="Value">The header's value.</param>
public sealed record IfMatch(string Value)
{
    /// <summary>Lets endpoints take it as a parameter.</summary>
    public static bool TryParse(string? text, out IfMatch? value)
    {
        value = string.IsNullOrWhiteSpace(text) ? null : new(Strong(text));
        return value is not null;
    }

    /// <summary>Makes the tags strong; null when all of them already are.</summary>
    internal static string? StrongOf(string? tags) => tags?.Contains("W/\"", StringComparison.Ordinal) == true ? Strong(tags) : null;

    private static string Strong(string text)
    {
        var (strong, isInside) = (new StringBuilder(text.Length), false);
        for (var i = 0; i < text.Length; i++)
        {
            if (!isInside && text.AsSpan(i).StartsWith("W/\"", StringComparison.Ordinal))
            {
                i += 2;
            }

            isInside ^= text[i] == '"';
            strong.Append(text[i]);
        }

        return strong.ToString();
    }
}
