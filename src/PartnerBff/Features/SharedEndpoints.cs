using Bff.Callers;
using PartnerBff.Features.Account;
using PartnerBff.Features.Keys;
using PartnerBff.Features.Operations;

namespace PartnerBff.Features;

/// <summary>What is the same in every version.</summary>
internal static class SharedEndpoints
{
    public static void MapShared(this RouteGroupBuilder version)
    {
        version.MapGet("/products", Catalogue.Products).RequireScope(PartnerScopes.ProductsRead).Named("products").WithTags("Products");
        version.MapGet("/products/{id}", Catalogue.Product).RequireScope(PartnerScopes.ProductsRead).Named("product").WithTags("Products");
        version.MapGet("/inventory/{product_id}", Catalogue.Inventory).RequireScope(PartnerScopes.InventoryRead).Named("inventory").WithTags("Inventory");
        version.MapGet("/account", GetAccount.Handle).RequireScope(PartnerScopes.AccountRead).Named("account").WithTags("Account");
        version.MapGet("/usage", GetUsage.Handle).RequireScope(PartnerScopes.UsageRead).Named("usage").WithTags("Account");

        var keys = version.MapGroup("/api-keys").RequireScope(PartnerScopes.KeysManage).WithTags("API keys");
        keys.MapGet("", ApiKeyOperations.List).Named("api-keys");
        keys.MapPost("", ApiKeyOperations.Create).Named("create-api-key");
        keys.MapPost("/{id}/rotate", ApiKeyOperations.Rotate).Named("rotate-api-key");
        keys.MapDelete("/{id}", ApiKeyOperations.Delete).Named("delete-api-key");
    }
}
