using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Bff.Composition;
using Bff.Requests;
using WebBff.Features.Dashboard;
using WebBff.Features.Orders;
using WebBff.Features.Products;
using WebBff.Features.Profile;
using WebBff.Features.Search;

namespace WebBff.Features;

/// <summary>The app's contract. Parts that failed are written as null.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimestamp)])]
[JsonSerializable(typeof(DashboardView))]
[JsonSerializable(typeof(IReadOnlyList<PickView>))]
[JsonSerializable(typeof(ProductPage))]
[JsonSerializable(typeof(ProductListPage))]
[JsonSerializable(typeof(ReviewPage))]
[JsonSerializable(typeof(OrderPage))]
[JsonSerializable(typeof(OrderDetail))]
[JsonSerializable(typeof(SearchResults))]
[JsonSerializable(typeof(OrderView))]
[JsonSerializable(typeof(NewOrder))]
[JsonSerializable(typeof(ProfilePatch))]
internal sealed partial class WebJson : JsonSerializerContext
{
    /// <summary>Answers are JSON documents, never part of a page: text stays readable and short.</summary>
    public static WebJson Answers =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>A product page whose parts are left out when <c>include</c> left them out, and null when they failed.</summary>
    public static JsonTypeInfo<ProductPage> ProductPageType =>
        field ??=
            (JsonTypeInfo<ProductPage>)
                new JsonSerializerOptions(Answers.Options)
                {
                    TypeInfoResolver = new WebJson().WithAddedModifier(LeaveOutSkippedParts),
                }.GetTypeInfo(typeof(ProductPage));

    private static void LeaveOutSkippedParts(JsonTypeInfo type)
    {
        if (type.Type != typeof(ProductPage))
        {
            return;
        }

        foreach (var property in type.Properties)
        {
            if (Enum.TryParse<ProductParts>(property.Name, ignoreCase: true, out var part))
            {
                property.ShouldSerialize = (page, _) => ((ProductPage)page).Included.HasFlag(part);
            }
        }
    }
}
