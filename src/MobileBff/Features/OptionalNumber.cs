using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace MobileBff.Features;

/// <summary>A number that is absent if there is none (the default), and null if the part that knows it failed.</summary>
[JsonConverter(typeof(OptionalNumberConverter))]
public readonly record struct OptionalNumber
{
    private OptionalNumber(decimal? value) => (Value, IsWritten) = (value, true);

    public decimal? Value { get; }

    public bool IsWritten { get; }

    /// <summary>Describes the type in the OpenAPI document as a number or null, inline.</summary>
    internal static void Describe(OpenApiOptions options)
    {
        var name = options.CreateSchemaReferenceId;
        options.CreateSchemaReferenceId = type => type.Type == typeof(OptionalNumber) ? null : name(type);
        options.AddSchemaTransformer(
            static (schema, context, _) =>
            {
                if (context.JsonTypeInfo.Type == typeof(OptionalNumber))
                {
                    schema.Type = JsonSchemaType.Number | JsonSchemaType.Null;
                    schema.Format = "double";
                }

                return Task.CompletedTask;
            }
        );
    }

    /// <summary>The value is unknown: null.</summary>
    public static OptionalNumber Unknown => new(null);

    /// <summary>Returns the number, or an absent value.</summary>
    public static OptionalNumber Of(decimal? value) => value is null ? default : new(value);
}

internal sealed class OptionalNumberConverter : JsonConverter<OptionalNumber>
{
    public override bool HandleNull => true;

    public override OptionalNumber Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Null ? OptionalNumber.Unknown : OptionalNumber.Of(reader.GetDecimal());

    public override void Write(Utf8JsonWriter writer, OptionalNumber value, JsonSerializerOptions options)
    {
        if (value.Value is { } number)
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            writer.WriteNullValue();
        }
    }
}
