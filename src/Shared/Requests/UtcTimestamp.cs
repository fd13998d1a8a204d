using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bff.Requests;

/// <summary>
/// Writes timestamps as RFC 3339 in UTC with <c>Z</c>, whatever offset the service used. Rejects a client's timestamp that has no offset:
/// the framework would assume the server's offset, and the client may have meant another moment.
/// </summary>
public sealed class UtcTimestamp : JsonConverter<DateTimeOffset>
{
    /// <summary>The message for a text that is no such timestamp.</summary>
    internal const string Mistake = "Must be a date and time with an offset, such as 2026-01-31T09:30:00Z (RFC 3339).";

    /// <inheritdoc />
    /// <exception cref="JsonException">The text is not a date and time with an offset.</exception>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Rfc3339.TryParse(reader.GetString(), out var moment) ? moment : throw new JsonException(Mistake);

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime);
}
