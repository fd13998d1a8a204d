using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Edge;
using Bff.Requests;
using PartnerBff.Features.Account;
using PartnerBff.Features.Events;
using PartnerBff.Features.Keys;
using PartnerBff.Features.Operations;
using PartnerBff.Features.V1;
using PartnerBff.Features.V2;
using PartnerBff.Features.Webhooks;

namespace PartnerBff.Features;

/// <summary>The partners' contract: snake_case; nulls are written, and requests are read strictly.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcTimestamp)]
)]
[JsonSerializable(typeof(OrderRequest))]
[JsonSerializable(typeof(BatchRequest))]
[JsonSerializable(typeof(ItemError))]
[JsonSerializable(typeof(OrderV1))]
[JsonSerializable(typeof(Page<OrderV1>))]
[JsonSerializable(typeof(BatchAnswer<OrderV1>))]
[JsonSerializable(typeof(OrderV2))]
[JsonSerializable(typeof(Page<OrderV2>))]
[JsonSerializable(typeof(BatchAnswer<OrderV2>))]
[JsonSerializable(typeof(ProductContract))]
[JsonSerializable(typeof(Page<ProductContract>))]
[JsonSerializable(typeof(InventoryContract))]
[JsonSerializable(typeof(AccountContract))]
[JsonSerializable(typeof(UsageContract))]
[JsonSerializable(typeof(EventPageContract))]
[JsonSerializable(typeof(NewKeyRequest))]
[JsonSerializable(typeof(RotateKeyRequest))]
[JsonSerializable(typeof(KeyContract))]
[JsonSerializable(typeof(Page<KeyContract>))]
[JsonSerializable(typeof(WebhookEndpointRequest))]
[JsonSerializable(typeof(WebhookEndpointChange))]
[JsonSerializable(typeof(RotateSecretRequest))]
[JsonSerializable(typeof(WebhookEndpointContract))]
[JsonSerializable(typeof(WebhookEndpointWithSecret))]
[JsonSerializable(typeof(DeliveryContract))]
[JsonSerializable(typeof(Page<WebhookEndpointContract>))]
[JsonSerializable(typeof(Page<DeliveryContract>))]
internal sealed partial class PartnerJson : JsonSerializerContext
{
    /// <summary>Metadata with relaxed escaping: answers are never embedded in a page, so text can stay readable and short.</summary>
    public static PartnerJson Answers =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
