using Bff.Admission;
using Bff.Callers;
using Bff.Sessions;
using WebBff.Features.Dashboard;
using WebBff.Features.Events;
using WebBff.Features.Orders;
using WebBff.Features.Products;
using WebBff.Features.Search;

namespace WebBff.Features;

internal static class WebEndpoints
{
    public static void MapWebFeatures(this WebApplication app)
    {
        var api = app.MapGroup("/api").RequireScope("api");
        api.MapGet("/dashboard", GetDashboard.Handle).Named("dashboard").WithTags("Dashboard");
        api.MapGet("/products", GetProducts.Handle).Named("products").WithTags("Products");
        api.MapGet("/products/{id}", GetProduct.Handle).Named("product").WithTags("Products");
        api.MapGet("/products/{id}/reviews", GetReviews.Handle).Named("reviews").WithTags("Products");
        api.MapGet("/orders", GetOrders.Handle).Named("orders").WithTags("Orders");
        api.MapGet("/orders/{id}", GetOrder.Handle).Named("order").WithTags("Orders");
        api.MapGet("/search", GetSearch.Handle).Named("search").WithTags("Search");
        api.MapGet("/events", StreamEvents.Handle).Named("events").WithTags("Events").LongLived().WithMetadata(new SessionUse(IsStream: true))
            .Produces(StatusCodes.Status200OK, contentType: "text/event-stream");
    }
}
