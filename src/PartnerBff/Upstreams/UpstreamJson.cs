using System.Text.Json.Serialization;

namespace PartnerBff.Upstreams;

/// <summary>
/// Metadata of the documents that the host reads from services and sends to them. A document with a required member missing or null is
/// invalid.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(OrderPage))]
[JsonSerializable(typeof(NewOrder))]
[JsonSerializable(typeof(Product))]
[JsonSerializable(typeof(ProductPage))]
[JsonSerializable(typeof(Stock))]
internal sealed partial class UpstreamJson : JsonSerializerContext;
