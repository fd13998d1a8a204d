using Bff.Edge;
using Bff.OpenApi;
using Bff.Requests;
using Bff.Sessions;
using WebBff.Features.Dashboard;
using WebBff.Features.Events;
using WebBff.Features.Notifications;
using WebBff.Features.Orders;
using WebBff.Features.Products;
using WebBff.Features.Profile;
using WebBff.Features.Search;

namespace WebBff.Features;

internal static class WebEndpoints
{
    public static void MapWebFeatures(this WebApplication app)
    {
        var api = app.MapGroup("/api").RequireScope("api").WithSingleParameters("include");
        api.MapGet("/dashboard", GetDashboard.Handle).Named("dashboard").WithTags("Dashboard");
        api.MapGet("/products", GetProducts.Handle).Named("products").WithTags("Products").ProducesProblemDocument(400);
        api.MapGet("/products/{id}", GetProduct.Handle).Named("product").WithTags("Products").ProducesProblemDocument(400);
        api.MapGet("/products/{id}/reviews", GetReviews.Handle).Named("reviews").WithTags("Products").ProducesProblemDocument(400);
        api.MapGet("/orders", GetOrders.Handle).Named("orders").WithTags("Orders").ProducesProblemDocument(400);
        api.MapGet("/orders/{id}", GetOrder.Handle).Named("order").WithTags("Orders");
        api.MapGet("/search", GetSearch.Handle).Named("search").WithTags("Search").ProducesProblemDocument(400);
        api.MapPost("/orders", PlaceOrder.Handle)
            .Named("place-order")
            .WithTags("Orders")
            .Accepts<NewOrder>("application/json")
            .Produces<OrderView>(201)
            .ProducesProblemDocument(400, 404, 409, 413, 415, 422, 502, 504);
        api.MapPost("/orders/{id}/cancel", CancelOrder.Handle)
            .Named("cancel-order")
            .WithTags("Orders")
            .Produces<OrderView>()
            .ProducesProblemDocument(404, 409, 502, 504);
        api.MapPatch("/profile", ChangeProfile.Handle)
            .Named("change-profile")
            .WithTags("Profile")
            .Accepts<ProfilePatch>("application/merge-patch+json", "application/json")
            .Produces(200, contentType: "application/json")
            .ProducesProblemDocument(400, 404, 409, 413, 415, 422, 502, 504);
        api.MapPost("/notifications/{id}/read", MarkRead.Handle)
            .Named("read-notification")
            .WithTags("Notifications")
            .Produces(204)
            .ProducesProblemDocument(404, 502, 504);
        api.MapGet("/events", StreamEvents.Handle)
            .Named("events")
            .WithTags("Events")
            .LongLived()
            .WithMetadata(new SessionUse(IsStream: true))
            .WithHeaderParameter("Last-Event-ID", "Id of the last event that the client received. The stream continues after this event.")
            .Produces(StatusCodes.Status200OK, contentType: "text/event-stream");
    }
}
