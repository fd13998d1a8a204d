using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Bff.Requests;

/// <summary>
/// Reads timestamps in the one form that every reader understands the same way (RFC 3339 section 5.6). The framework's own parser also
/// accepts <c>1/2/2026</c>, which is another day in other countries. Its exact parser accepts at most seven fractional digits of a second,
/// but clocks of other platforms give nine.
/// </summary>
public static class Rfc3339
{
    private const int Fraction = 20;
    private const int Digits = 7;
    private static readonly string[] Forms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>Reads a date and time with its offset, to 100 ns. Finer digits are cut off.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out DateTimeOffset moment)
    {
        moment = default;
        return text is { Length: >= 20 } && (text[^1] is 'Z' or 'z' || text[^6] is '+' or '-') && TryRead(text, out moment);
    }

    /// <summary>
    /// Reads the same, and also the forms that people write: a day, meaning its first moment, and a time without an offset. Both are in
    /// UTC.
    /// </summary>
    public static bool TryParseOrDay([NotNullWhen(true)] string? text, out DateTimeOffset moment)
    {
        moment = default;
        return text is not null && (TryExact(text, ["yyyy-MM-dd"], out moment) || TryRead(text, out moment));
    }

    private static bool TryRead(string text, out DateTimeOffset moment)
    {
        if (text.Length > Fraction + Digits && text[Fraction - 1] == '.')
        {
            var rest = text.AsSpan(Fraction).IndexOfAnyExceptInRange('0', '9');
            var end = rest < 0 ? text.Length : Fraction + rest;
            text = end > Fraction + Digits ? string.Concat(text.AsSpan(0, Fraction + Digits), text.AsSpan(end)) : text;
        }

        return TryExact(text.ToUpperInvariant(), Forms, out moment);
    }

    private static bool TryExact(string text, string[] forms, out DateTimeOffset moment) =>
        DateTimeOffset.TryParseExact(
            text,
            forms,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out moment
        );
}
