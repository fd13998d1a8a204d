using System.Text.Json.Serialization;
using Bff.Upstreams;

namespace MobileBff.Upstreams;

/// <summary>
/// What the host reads of the services' documents. A required member that is missing or null makes the document garbage;
/// members that are not declared are skipped without a copy.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(User))]
[JsonSerializable(typeof(UserProfile))]
[JsonSerializable(typeof(Hits))]
[JsonSerializable(typeof(OrderChanges))]
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(OrderPage))]
[JsonSerializable(typeof(Recommendations))]
[JsonSerializable(typeof(Notifications))]
[JsonSerializable(typeof(Product))]
[JsonSerializable(typeof(Reviews))]
[JsonSerializable(typeof(Stock))]
[JsonSerializable(typeof(Price))]
[JsonSerializable(typeof(GraphQlQuery<PricingVariables>))]
[JsonSerializable(typeof(GraphQlAnswer<PricingData>))]
[JsonSerializable(typeof(Shipment))]
internal sealed partial class UpstreamJson : JsonSerializerContext;
