using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bff.Requests;

/// <summary>Writes timestamps as clients expect them: RFC 3339 in UTC with <c>Z</c>, whatever offset the service used.</summary>
public sealed class UtcTimestamp : JsonConverter<DateTimeOffset>
{
    /// <inheritdoc />
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime);
}
