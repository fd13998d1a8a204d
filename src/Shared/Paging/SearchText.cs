using Bff.Requests;

namespace Bff.Paging;

/// <summary>Reads the parameter <c>q</c> of a search.</summary>
public static class SearchText
{
    /// <summary>Returns the text without surrounding white space.</summary>
    /// <param name="q">The parameter as sent by the client.</param>
    /// <param name="longest">Largest number of characters (Unicode scalar values); at least 1.</param>
    /// <exception cref="ProblemException">400 <c>validation_failed</c>: the text is empty or too long.</exception>
    public static string Of(string? q, int longest)
    {
        var text = q?.Trim() ?? "";
        return text.Length > 0 && TextLength.IsAtMost(text, longest)
            ? text
            : throw new ProblemException(Problem.Invalid("q", $"Must have 1 to {longest} characters."));
    }
}
