using Microsoft.Extensions.Primitives;

namespace Bff.Requests;

/// <summary>Measures headers.</summary>
internal static class HeadLength
{
    /// <summary>Returns the characters of a header. The name counts with each of its values.</summary>
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
