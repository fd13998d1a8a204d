using Bff.Requests;

namespace Bff.Paging;

/// <summary>The parameter <c>q</c> of a search.</summary>
public static class SearchText
{
    /// <summary>Without white space around it.</summary>
    /// <param name="q">As it came.</param>
    /// <param name="longest">Characters (Unicode scalar values) that it may have, at least 1.</param>
    /// <exception cref="ProblemException">400 <c>validation_failed</c>: it is empty or too long.</exception>
    public static string Of(string? q, int longest)
    {
        var text = q?.Trim() ?? "";
        return text.Length > 0 && TextLength.IsAtMost(text, longest)
            ? text
            : throw new ProblemException(Problem.Invalid("q", $"Must have 1 to {longest} characters."));
    }
}
