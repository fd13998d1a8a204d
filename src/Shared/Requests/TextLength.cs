namespace Bff.Requests;

/// <summary>
/// How long a text is for the person who wrote it and for a contract (JSON Schema's <c>maxLength</c>): in characters, Unicode scalar
/// values. .NET counts UTF-16 units, of which an emoji has two.
/// </summary>
public static class TextLength
{
    /// <summary>Whether the text has at most so many characters. Looks no further than it must.</summary>
    public static bool IsAtMost(string text, int characters) =>
        text.Length <= characters || (text.Length <= 2 * (long)characters && text.EnumerateRunes().Count() <= characters);
}
