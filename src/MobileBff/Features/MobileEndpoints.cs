using Bff.Callers;
using MobileBff.Features.HomeFeed;
using MobileBff.Features.Orders;
using MobileBff.Features.Products;

namespace MobileBff.Features;

internal static class MobileEndpoints
{
    public static void MapMobileFeatures(this WebApplication app)
    {
        var api = app.MapGroup("").RequireScope("api");
        api.MapGet("/home-feed", GetHomeFeed.Handle).Named("home-feed").WithTags("Home feed");
        api.MapGet("/orders/{id}", GetOrder.Handle).Named("order").WithTags("Orders");
        api.MapGet("/products/{id}", GetProduct.Handle).Named("product").WithTags("Products").AllowAnonymous();
    }
}
