namespace Bff.Configuration;

/// <summary>Measures how different two spellings are.</summary>
internal static class Misspelling
{
    /// <summary>Counts missing, extra, wrong and transposed letters (Damerau 1964, in the restricted form). Case is ignored.</summary>
    public static int Distance(string one, string other)
    {
        var (before, last, next) = (new int[other.Length + 1], new int[other.Length + 1], new int[other.Length + 1]);
        for (var j = 0; j <= other.Length; j++)
        {
            last[j] = j;
        }

        for (var i = 1; i <= one.Length; i++)
        {
            next[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var differs = Same(one[i - 1], other[j - 1]) ? 0 : 1;
                next[j] = Math.Min(Math.Min(last[j] + 1, next[j - 1] + 1), last[j - 1] + differs);
                if (i > 1 && j > 1 && Same(one[i - 1], other[j - 2]) && Same(one[i - 2], other[j - 1]))
                {
                    next[j] = Math.Min(next[j], before[j - 2] + 1);
                }
            }

            (before, last, next) = (last, next, before);
        }

        return last[other.Length];
    }

    /// <summary>Whether a text at this distance from the word may be a misspelling of it.</summary>
    public static bool MayMean(int distance, string word) => distance <= Math.Max(1, word.Length / 3);

    private static bool Same(char one, char other) => char.ToUpperInvariant(one) == char.ToUpperInvariant(other);
}
