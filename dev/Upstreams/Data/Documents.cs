using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bff.Dev.Upstreams.Data;

// Members that are in no contract (tenant, schemaVersion, labels, ...) are there on purpose: readers must ignore them.

internal sealed record Address(string Line1, string City, string PostalCode, string Country);

internal sealed record UserDocument(
    string Id,
    string Name,
    string Email,
    string AvatarUrl,
    string Plan,
    string Locale,
    DateTimeOffset CreatedAt,
    Address Address,
    UserPreferences Preferences,
    string Tenant,
    string[] Labels
);

internal sealed record UserPreferences(MobilePreferences Mobile, WebPreferences Web);

internal sealed record MobilePreferences(string Theme, bool PushEnabled);

internal sealed record WebPreferences(string Density);

internal sealed record OrderLine(string ProductId, string ProductName, string ProductImageUrl, int Quantity, decimal UnitPrice);

internal sealed record OrderDocument(
    string Id,
    string CustomerId,
    string? Reference,
    string Status,
    DateTimeOffset PlacedAt,
    DateTimeOffset UpdatedAt,
    decimal TotalAmount,
    string Currency,
    OrderLine[] Items,
    Address ShippingAddress,
    string Channel,
    int SchemaVersion = 7
);

internal sealed record NewOrder(string? CustomerId, string? Reference, string? Currency, NewOrderLine[]? Items);

internal sealed record NewOrderLine(string? ProductId, decimal? Quantity);

internal sealed record Variant(string Sku, string Size, string Color);

internal sealed record ProductDocument(
    string Id,
    string Name,
    string Description,
    string Brand,
    string Category,
    string ImageUrl,
    string[] Gallery,
    Dictionary<string, string> Attributes,
    Variant[] Variants,
    DateTimeOffset UpdatedAt,
    Sustainability Sustainability
);

internal sealed record Sustainability(int Score, string[] Certificates);

internal sealed record Author(string Id, string Name);

internal sealed record ReviewDocument(
    string Id,
    string ProductId,
    int Rating,
    string Title,
    string Body,
    Author Author,
    DateTimeOffset CreatedAt,
    bool VerifiedPurchase
);

internal sealed record ReviewSummary(decimal Average, int Count, Dictionary<string, int> Histogram);

internal sealed record Warehouse(string Id, int Quantity);

internal sealed record StockDocument(
    string ProductId,
    bool InStock,
    int Quantity,
    Warehouse[] Warehouses,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? RestockExpectedAt
);

internal sealed record Discount(int Percentage, DateTimeOffset ValidUntil);

internal sealed record Price(string ProductId, decimal Current, string Currency, Discount? Discount);

internal sealed record PickDocument(
    string ProductId,
    string Name,
    string ImageUrl,
    decimal Price,
    string Currency,
    double Score,
    string Reason
);

internal sealed record HitDocument(string ProductId, string Name, string ImageUrl, decimal Price, string Currency, string Highlight);

internal sealed record NotificationDocument(
    string Id,
    string Type,
    string Title,
    string Body,
    DateTimeOffset CreatedAt,
    bool Read,
    string Importance = "normal"
);

internal sealed record TrackingEvent(DateTimeOffset At, string Status, string Location);

internal sealed record ShipmentDocument(
    string OrderId,
    string Carrier,
    string TrackingNumber,
    string Status,
    DateTimeOffset EstimatedDelivery,
    TrackingEvent[] Events,
    double WeightKg
);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(UserDocument))]
[JsonSerializable(typeof(OrderDocument))]
[JsonSerializable(typeof(NewOrder))]
[JsonSerializable(typeof(ProductDocument))]
[JsonSerializable(typeof(ReviewDocument))]
[JsonSerializable(typeof(ReviewSummary))]
[JsonSerializable(typeof(StockDocument))]
[JsonSerializable(typeof(PickDocument))]
[JsonSerializable(typeof(HitDocument))]
[JsonSerializable(typeof(NotificationDocument))]
[JsonSerializable(typeof(ShipmentDocument))]
internal sealed partial class DocumentJson : JsonSerializerContext
{
    /// <summary>Leaves non-ASCII letters unescaped and writes times with Z, as in the contract.</summary>
    public static readonly DocumentJson Plain = new(
        new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            Converters = { new UtcMoments() },
        }
    );

    private sealed class UtcMoments : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime);
    }
}
