using Bff.Requests;
using PartnerBff.Features.Account;
using PartnerBff.Features.Events;
using PartnerBff.Features.Keys;
using PartnerBff.Features.Operations;
using PartnerBff.Features.Webhooks;
using PartnerBff.OpenApi;

namespace PartnerBff.Features;

/// <summary>Maps the endpoints that are the same in every version.</summary>
internal static class SharedEndpoints
{
    public static void MapShared(this RouteGroupBuilder version)
    {
        version
            .MapGet("/products", Catalogue.Products)
            .RequireScope(PartnerScopes.ProductsRead)
            .Named("products")
            .WithTags("Products")
            .Documented(Docs.ListProducts);
        version
            .MapGet("/products/{id}", Catalogue.Product)
            .RequireScope(PartnerScopes.ProductsRead)
            .Named("product")
            .WithTags("Products")
            .Documented(Docs.GetProduct);
        version
            .MapGet("/inventory/{product_id}", Catalogue.Inventory)
            .RequireScope(PartnerScopes.InventoryRead)
            .Named("inventory")
            .WithTags("Inventory")
            .Documented(Docs.GetInventory);
        version
            .MapGet("/account", GetAccount.Handle)
            .RequireScope(PartnerScopes.AccountRead)
            .Named("account")
            .WithTags("Account")
            .Produces<AccountContract>()
            .Documented(Docs.GetAccount);
        version
            .MapGet("/usage", GetUsage.Handle)
            .RequireScope(PartnerScopes.UsageRead)
            .Named("usage")
            .WithTags("Account")
            .Produces<UsageContract>()
            .Documented(Docs.GetUsage);
        version
            .MapGet("/events", ListEvents.Handle)
            .RequireScope(PartnerScopes.EventsRead)
            .Named("events")
            .WithTags("Events")
            .Produces<EventPageContract>()
            .Documented(Docs.ListEvents);

        var keys = version.MapGroup("/api-keys").RequireScope(PartnerScopes.KeysManage).WithTags("API keys");
        keys.MapGet("", ApiKeyOperations.List).Named("api-keys").Produces<Page<KeyContract>>().Documented(Docs.ListKeys);
        keys.MapPost("", ApiKeyOperations.Create)
            .Named("create-api-key")
            .Produces<KeyContract>(StatusCodes.Status201Created)
            .Documented(Docs.CreateKey);
        keys.MapPost("/{id}/rotate", ApiKeyOperations.Rotate)
            .Named("rotate-api-key")
            .Produces<KeyContract>(StatusCodes.Status201Created)
            .Documented(Docs.RotateKey);
        keys.MapDelete("/{id}", ApiKeyOperations.Delete)
            .Named("delete-api-key")
            .Produces(StatusCodes.Status204NoContent)
            .Documented(Docs.DeleteKey);
        version.MapWebhooks();
    }
}
