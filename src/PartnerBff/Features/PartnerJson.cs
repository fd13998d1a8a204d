using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PartnerBff.Features.Operations;
using PartnerBff.Features.V1;

namespace PartnerBff.Features;

/// <summary>The partners' contract: snake_case, nulls written, requests read strictly.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(OrderRequest))]
[JsonSerializable(typeof(OrderV1))]
[JsonSerializable(typeof(Page<OrderV1>))]
internal sealed partial class PartnerJson : JsonSerializerContext
{
    /// <summary>Answers are JSON documents, never part of a page: text stays readable and short.</summary>
    public static PartnerJson Answers =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
