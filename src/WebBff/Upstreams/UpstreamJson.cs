using System.Text.Json.Serialization;
using Bff.Upstreams;

namespace WebBff.Upstreams;

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
