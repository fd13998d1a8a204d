using Bff.Callers;
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
    }
}
