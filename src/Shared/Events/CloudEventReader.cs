using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Bff.Edge;
using Bff.Requests;

namespace Bff.Events;

/// <summary>
/// Reads CloudEvents 1.0 in JSON (structured mode): one event or a batch. The reader is strict, because a malformed event could not be
/// delivered later.
/// </summary>
internal static class CloudEventReader
{
    public const int MaxEvents = 100;
    public const int MaxEventBytes = 64 * 1024; // CloudEvents 1.0, "Size Limits": the size that every intermediary must forward.
    private const int MaxTextLength = 512;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = JsonBody.MaxDepth };

    // The default encoder writes every non-ASCII character as six bytes, which makes a text of 64 KiB up to three times as long.
    private static readonly JsonWriterOptions AsSent = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads the events.</summary>
    /// <exception cref="ProblemException">400 <c>malformed_request</c> or <c>validation_failed</c>, 413.</exception>
    public static List<NewEvent> Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            if (!Utf8.IsValid(body.Span))
            {
                throw new ProblemException(new Problem(ProblemCodes.MalformedRequest) { Detail = "The body is not UTF-8." });
            }

            using var document = JsonDocument.Parse(body, Strict);
            var errors = new Dictionary<string, string[]>();
            var events = Read(document.RootElement, errors);
            return errors.Count == 0 ? events : throw new ProblemException(new Problem(ProblemCodes.ValidationFailed) { Errors = errors });
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new ProblemException(
                new Problem(ProblemCodes.MalformedRequest)
                {
                    Detail = "The body is not well-formed JSON, has a member twice or is nested too deeply.",
                },
                malformed
            );
        }
    }

    private static List<NewEvent> Read(JsonElement root, Dictionary<string, string[]> errors)
    {
        if (root.ValueKind != JsonValueKind.Array)
        {
            return ReadOne(root, "", errors) is { } only ? [only] : [];
        }

        if (root.GetArrayLength() > MaxEvents)
        {
            throw new ProblemException(new Problem(ProblemCodes.PayloadTooLarge) { Detail = $"A batch holds at most {MaxEvents} events." });
        }

        var events = new List<NewEvent>();
        var index = 0;
        foreach (var element in root.EnumerateArray())
        {
            if (ReadOne(element, string.Create(CultureInfo.InvariantCulture, $"[{index++}]."), errors) is { } item)
            {
                events.Add(item);
            }
        }

        return events;
    }

    private static NewEvent? ReadOne(JsonElement element, string at, Dictionary<string, string[]> errors)
    {
        // Measured as sent: the sender need not know how the log encodes characters.
        if (JsonMarshal.GetRawUtf8Value(element).Length > MaxEventBytes)
        {
            throw new ProblemException(
                new Problem(ProblemCodes.PayloadTooLarge) { Detail = $"An event is at most {MaxEventBytes} bytes." }
            );
        }

        if (element.ValueKind != JsonValueKind.Object)
        {
            errors[at.TrimEnd('.')] = ["Must be a CloudEvents object."];
            return null;
        }

        var before = errors.Count;
        if (Text("specversion", required: true) is { } version && version != "1.0")
        {
            errors[at + "specversion"] = ["Must be 1.0."];
        }

        var head = new EventHead
        {
            SourceId = Text("id", required: true) ?? "",
            Source = Text("source", required: true) ?? "",
            Type = Text("type", required: true) ?? "",
            Subject = Text("subject"),
            Time = Time(Text("time")),
            Tenant = Text("tenantid"),
            User = Text("userid"),
        };
        var data = Data();
        return errors.Count == before ? new(head, data) : null;

        string? Text(string name, bool required = false)
        {
            if (!element.TryGetProperty(name, out var value) || (value.ValueKind == JsonValueKind.Null && !required))
            {
                if (required)
                {
                    errors[at + name] = ["Is required."];
                }

                return null;
            }

            var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
            if (text.Length is 0 or > MaxTextLength || text.Any(char.IsControl))
            {
                errors[at + name] = [$"Must be a string of 1 to {MaxTextLength} characters without control characters."];
            }

            return text;
        }

        DateTimeOffset? Time(string? text)
        {
            if (text is null)
            {
                return null;
            }

            if (Rfc3339.TryParse(text, out var time))
            {
                return time;
            }

            errors[at + "time"] = ["Must be an RFC 3339 timestamp."];
            return null;
        }

        ReadOnlyMemory<byte> Data()
        {
            var hasData = element.TryGetProperty("data", out var value);
            if (element.TryGetProperty("data_base64", out var binary))
            {
                if (hasData || binary.ValueKind != JsonValueKind.String || !binary.TryGetBytesFromBase64(out _))
                {
                    errors[at + "data_base64"] = ["Must be a base64 string, and data must be absent."];
                }

                value = binary;
            }

            var buffer = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(buffer, AsSent))
            {
                if (value.ValueKind == JsonValueKind.Undefined)
                {
                    writer.WriteNullValue();
                }
                else
                {
                    value.WriteTo(writer); // Without line breaks, whatever the source sent.
                }
            }

            return buffer.WrittenMemory;
        }
    }
}
