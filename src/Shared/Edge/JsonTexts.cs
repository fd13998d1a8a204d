using System.Text.Json;

namespace Bff.Edge;

/// <summary>
/// Finds strings that are not text: JSON may escape half of a surrogate pair, which no reader can turn into text (RFC 8259 section 8.2).
/// RFC 7493 section 2.1 forbids it.
/// </summary>
internal static class JsonTexts
{
    /// <summary>Whether a document may contain such an escape. Almost none does, and is then not searched.</summary>
    public static bool MayBeBroken(ReadOnlySpan<byte> utf8) => utf8.IndexOf("\\u"u8) >= 0;

    /// <summary>Reads every name and string.</summary>
    /// <exception cref="InvalidOperationException">One of them is not text.</exception>
    public static void Check(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    Check(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    _ = member.Name;
                    Check(member.Value);
                }

                break;
        }
    }
}
