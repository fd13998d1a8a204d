using System.Text.Json.Serialization;
using Bff.Upstreams;

namespace WebBff.Upstreams;

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
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(OrderList))]
[JsonSerializable(typeof(Product))]
[JsonSerializable(typeof(ProductList))]
[JsonSerializable(typeof(ReviewList))]
[JsonSerializable(typeof(Stock))]
[JsonSerializable(typeof(StockList))]
[JsonSerializable(typeof(Price))]
[JsonSerializable(typeof(PriceList))]
[JsonSerializable(typeof(GraphQlQuery<PricingVariables>))]
[JsonSerializable(typeof(GraphQlAnswer<PricingData>))]
[JsonSerializable(typeof(GraphQlQuery<PricesVariables>))]
[JsonSerializable(typeof(GraphQlAnswer<PricesData>))]
[JsonSerializable(typeof(PickList))]
[JsonSerializable(typeof(NotificationList))]
[JsonSerializable(typeof(Shipment))]
[JsonSerializable(typeof(HitList))]
internal sealed partial class UpstreamJson : JsonSerializerContext;
