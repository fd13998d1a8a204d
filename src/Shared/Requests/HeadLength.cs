using Microsoft.Extensions.Primitives;

namespace Bff.Requests;

/// <summary>How long headers are.</summary>
internal static class HeadLength
{
    /// <summary>Characters of a header; its name counts with each of its values.</summary>
    public static int Of(string name, StringValues values)
    {
        var length = 0;
        foreach (var value in values)
        {
            length += name.Length + (value?.Length ?? 0);
        }

        return length;
    }
}
