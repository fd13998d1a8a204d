using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Requests;
using MobileBff.Features.HomeFeed;
using MobileBff.Features.Me;
using MobileBff.Features.Notifications;
using MobileBff.Features.Orders;
using MobileBff.Features.Products;
using MobileBff.Features.Search;
using MobileBff.Features.Sync;

namespace MobileBff.Features;

/// <summary>
/// The app's contract. Failed parts are written as null, so nulls are kept by default; members that are absent without a value declare that
/// themselves.
/// </summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimestamp)])]
[JsonSerializable(typeof(HomeFeed.HomeFeed))]
[JsonSerializable(typeof(IReadOnlyList<Pick>))]
[JsonSerializable(typeof(OrderDetail))]
[JsonSerializable(typeof(OrderList))]
[JsonSerializable(typeof(NewOrder))]
[JsonSerializable(typeof(PlacedOrder))]
[JsonSerializable(typeof(ProductDetail))]
[JsonSerializable(typeof(SearchResult))]
[JsonSerializable(typeof(SyncAnswer))]
[JsonSerializable(typeof(OfflineChanges))]
[JsonSerializable(typeof(OfflineAnswer))]
[JsonSerializable(typeof(ReadNotification))]
[JsonSerializable(typeof(Profile))]
[JsonSerializable(typeof(ProfilePatch))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class MobileJson : JsonSerializerContext
{
    /// <summary>Metadata with relaxed escaping: answers are never embedded in a page, so text can stay readable and short.</summary>
    public static MobileJson Answers =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
