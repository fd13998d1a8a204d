using Bff.Composition;
using Bff.Configuration;
using Bff.Edge;
using Bff.Idempotency;
using Bff.Life;
using Bff.OpenApi;
using Bff.Requests;
using MobileBff.Features.HomeFeed;
using MobileBff.Features.Me;
using MobileBff.Features.Notifications;
using MobileBff.Features.Orders;
using MobileBff.Features.Pictures;
using MobileBff.Features.Products;
using MobileBff.Features.Search;
using MobileBff.Features.Sync;

namespace MobileBff.Features;

internal static class MobileEndpoints
{
    public static WebApplicationBuilder AddMobileFeatures(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ICompositionMeta, MobileMeta>();
        builder.Services.AddSingleton<SyncTokens>();
        builder.Services.AddSingleton<Operations>();
        builder.Services.AddSettings<PictureOptions>();
        builder.Services.AddSingleton<PictureStore>();
        builder.Services.AddSingleton<IWarmup>(static provider => provider.GetRequiredService<PictureStore>());
        return builder;
    }

    public static void MapMobileFeatures(this WebApplication app)
    {
        var api = app.MapGroup("").RequireScope("api").WithSingleParameters();
        api.MapGet("/home-feed", GetHomeFeed.Handle).Named("home-feed").WithTags("Home feed");
        api.MapGet("/orders", GetOrders.Handle).Named("orders").WithTags("Orders").ProducesProblemDocument(400);
        api.MapGet("/orders/{id}", GetOrder.Handle).Named("order").WithTags("Orders").Produces(304);
        api.MapPost("/orders", PlaceOrder.Handle)
            .Named("place-order")
            .WithTags("Orders")
            .AcceptIdempotencyKey()
            .WithHeaderParameter(
                IdempotencyKey.Header,
                "1 to 255 characters, new for each order: it is placed once, and each repeat under the same key gets the first answer."
            )
            .Accepts<NewOrder>("application/json")
            .Produces<PlacedOrder>(201)
            .ProducesProblemDocument(400, 404, 409, 413, 415, 422, 502, 504)
            .WithOperation("order.place", PlaceOrder.Run);
        api.MapGet("/products/{id}", GetProduct.Handle).Named("product").WithTags("Products").AllowAnonymous();
        api.MapGet("/search", GetSearch.Handle).Named("search").WithTags("Products").ProducesProblemDocument(400);
        api.MapGet("/sync", GetSync.Handle).Named("sync").WithTags("Sync").ProducesProblemDocument(400, 410);
        api.MapPost("/sync", PostSync.Handle)
            .Named("sync")
            .WithName("send-changes")
            .WithTags("Sync")
            .ChargedByEndpoint()
            .Accepts<OfflineChanges>("application/json")
            .Produces<OfflineAnswer>(207)
            .ProducesProblemDocument(400, 413, 415);
        api.MapGet("/me", GetMe.Handle).Named("me").WithTags("Me");
        api.MapPatch("/me", PatchMe.Handle)
            .Named("me")
            .WithName("change-me")
            .WithTags("Me")
            .Accepts<ProfilePatch>("application/merge-patch+json", "application/json")
            .ProducesProblemDocument(400, 409, 413, 415, 422)
            .WithOperation("profile.change", PatchMe.Run);
        api.MapPost("/notifications/{id}/read", MarkRead.Handle)
            .Named("mark-read")
            .WithTags("Notifications")
            .Produces(204)
            .ProducesProblemDocument(404, 502, 504)
            .WithOperation("notification.read", MarkRead.Run);
        api.MapGet("/images/{file}", GetPicture.Handle)
            .Named("images")
            .WithTags("Images")
            .AllowAnonymous()
            .AsPublicMedia()
            .Produces(200, contentType: "image/jpeg", additionalContentTypes: "image/webp")
            .Produces(304)
            .ProducesProblemDocument(400, 404, 502, 504);
    }
}
