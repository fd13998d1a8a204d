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

/// <summary>The app's contract. Failed parts are written as null.</summary>
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
    /// <summary>Metadata with relaxed escaping: answers are never embedded in a page, so text can stay readable and short.</summary>
    public static WebJson Answers =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>Metadata of a product page: parts that <c>include</c> leaves out are absent, and failed parts are null.</summary>
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
