using System.Text.Json.Serialization;

namespace PartnerBff.Upstreams;

/// <summary>
/// What the host reads of the services' documents, and what it sends them. A required member that is missing or null makes a document
/// garbage.
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
