using System.Buffers;
using System.Text.Json;

namespace Bff.Routes.GraphQl;

/// <summary>
/// Rewrites a request with the documents that its client named by id. The ids are left out, because the service need not know them.
/// </summary>
internal static class Completion
{
    /// <param name="root">One operation or a batch.</param>
    /// <param name="texts">The document for each operation; null for an operation that has its own.</param>
    public static byte[] Of(JsonElement root, IReadOnlyList<string?> texts)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            if (root.ValueKind != JsonValueKind.Array)
            {
                Write(json, root, texts[0]!);
            }
            else
            {
                json.WriteStartArray();
                var index = 0;
                foreach (var operation in root.EnumerateArray())
                {
                    if (texts[index++] is { } text)
                    {
                        Write(json, operation, text);
                    }
                    else
                    {
                        operation.WriteTo(json);
                    }
                }

                json.WriteEndArray();
            }
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, JsonElement operation, string text)
    {
        json.WriteStartObject();
        json.WriteString("query", text);
        foreach (var member in operation.EnumerateObject())
        {
            if (member.Name is "extensions" && member.Value.ValueKind == JsonValueKind.Object)
            {
                json.WriteStartObject(member.Name);
                foreach (var extension in member.Value.EnumerateObject().Where(e => e.Name != "persistedQuery"))
                {
                    extension.WriteTo(json);
                }

                json.WriteEndObject();
            }
            else if (member.Name is not ("query" or "documentId" or "id"))
            {
                member.WriteTo(json);
            }
        }

        json.WriteEndObject();
    }
}
