namespace Bff.Requests;

/// <summary>
/// Measures text as its author and a contract (JSON Schema's <c>maxLength</c>) count it: in Unicode scalar values. .NET counts UTF-16
/// units, of which an emoji has two.
/// </summary>
public static class TextLength
{
    /// <summary>Whether the text has at most that many characters. Stops counting as early as it can.</summary>
    public static bool IsAtMost(string text, int characters) =>
        text.Length <= characters || (text.Length <= 2 * (long)characters && text.EnumerateRunes().Count() <= characters);
}
