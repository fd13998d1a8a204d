using System.Text.Json.Serialization;
using Bff.Upstreams;

namespace MobileBff.Upstreams;

/// <summary>
/// Metadata of the services' documents as the host reads them. A document with a required member missing or null is invalid; undeclared
/// members are skipped without a copy.
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
[JsonSerializable(typeof(Recommendation))]
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
