using System.Globalization;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>
/// Parses lists of strings with integer parameters, the part of RFC 9651 (sections 4.2.1, 4.2.3) that the limiter's headers use. Fails on
/// anything else.
/// </summary>
internal static class StructuredFields
{
    public static List<(string Name, Dictionary<string, long> Parameters)> ParseList(string text)
    {
        var at = 0;
        var list = new List<(string, Dictionary<string, long>)>();
        while (true)
        {
            list.Add((QuotedString(text, ref at), Parameters(text, ref at)));
            Skip(text, ref at, " \t");
            if (at == text.Length)
            {
                return list;
            }

            Expect(text, ref at, ',');
            Skip(text, ref at, " \t");
            Assert.True(at < text.Length, "a list must not end with a comma");
        }
    }

    private static string QuotedString(string text, ref int at)
    {
        Expect(text, ref at, '"');
        var start = at;
        while (text[at] != '"')
        {
            Assert.InRange(text[at], '\u0020', '\u007e');
            Assert.NotEqual('\\', text[at]);
            at++;
        }

        return text[start..at++];
    }

    private static Dictionary<string, long> Parameters(string text, ref int at)
    {
        var parameters = new Dictionary<string, long>();
        while (at < text.Length && text[at] == ';')
        {
            at++;
            Skip(text, ref at, " ");
            var start = at;
            Assert.True(char.IsAsciiLetterLower(text[at]) || text[at] == '*');
            while (
                at < text.Length
                && (char.IsAsciiLetterLower(text[at]) || char.IsAsciiDigit(text[at]) || "_-.*".Contains(text[at], StringComparison.Ordinal))
            )
            {
                at++;
            }

            var key = text[start..at];
            Expect(text, ref at, '=');
            start = at;
            if (text[at] == '-')
            {
                at++;
            }

            while (at < text.Length && char.IsAsciiDigit(text[at]))
            {
                at++;
            }

            Assert.InRange(at - start, 1, 15);
            parameters[key] = long.Parse(text[start..at], CultureInfo.InvariantCulture);
        }

        return parameters;
    }

    private static void Expect(string text, ref int at, char expected)
    {
        Assert.True(at < text.Length && text[at] == expected, $"'{expected}' expected at {at} of {text}");
        at++;
    }

    private static void Skip(string text, ref int at, string what)
    {
        while (at < text.Length && what.Contains(text[at], StringComparison.Ordinal))
        {
            at++;
        }
    }
}
