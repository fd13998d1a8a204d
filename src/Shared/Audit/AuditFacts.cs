using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Bff.Audit;

/// <summary>Creates the facts that an entry records of an object: a few named values.</summary>
public static partial class AuditFacts
{
    /// <summary>Creates facts from text, lists of text, numbers, flags and times. Null values are omitted.</summary>
    public static JsonElement Of(params ReadOnlySpan<(string Name, object? Value)> facts)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in facts)
            {
                if (value is not null)
                {
                    writer.WritePropertyName(name);
                    Write(writer, value);
                }
            }

            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }

    /// <summary>Replaces each e-mail address in a text with a digest, which is stable but does not name the person.</summary>
    public static string WithoutAddresses(string text) =>
        text.Contains('@', StringComparison.Ordinal) ? Address().Replace(text, static m => Digest(m.Value)) : text;

    private static void Write(Utf8JsonWriter writer, object value)
    {
        switch (value)
        {
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case int number:
                writer.WriteNumberValue(number);
                break;
            case DateTimeOffset moment:
                writer.WriteStringValue(moment.UtcDateTime);
                break;
            case IEnumerable<string> list:
                writer.WriteStartArray();
                foreach (var item in list)
                {
                    writer.WriteStringValue(WithoutAddresses(item));
                }

                writer.WriteEndArray();
                break;
            default:
                writer.WriteStringValue(WithoutAddresses(value.ToString() ?? ""));
                break;
        }
    }

    private static string Digest(string address) =>
        "#" + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(address)).AsSpan(0, 9));

    [GeneratedRegex(@"[^\s@<>""',;]+@[^\s@<>""',;]+", RegexOptions.NonBacktracking)]
    private static partial Regex Address();
}
