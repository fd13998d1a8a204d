using Bff.Upstreams;
using Catalog.V1;

namespace WebBff.Upstreams;

internal static class UpstreamClients
{
    /// <summary>Adds clients for the services that the web app's answers are composed from.</summary>
    public static WebApplicationBuilder AddWebUpstreams(this WebApplicationBuilder builder) =>
        builder
            .AddUpstream<IUsers>("users")
            .AddUpstream<IOrders>("orders")
            .AddUpstream<IProducts>("products")
            .AddGrpcUpstream<CatalogClient, ProductCatalog.ProductCatalogClient>("catalog", isShared: true)
            .AddUpstream<IReviews>("reviews", isShared: true)
            .AddUpstream<IInventory>("inventory", isShared: true)
            .AddUpstream<IPricing>("pricing", isShared: true)
            .AddUpstream<IRecommendations>("recommendations", isShared: true)
            .AddUpstream<INotifications>("notifications")
            .AddUpstream<IShipping>("shipping")
            .AddUpstream<ISearch>("search");
}

/// <summary>Converts the clients' methods into calls; Refit's generator finds it in this assembly.</summary>
internal sealed class Calls<T>() : DeclaredCalls<T>(UpstreamJson.Default);

/// <summary>Converts the clients' methods into writes.</summary>
internal sealed class Writes<T>() : DeclaredWrites<T>(UpstreamJson.Default);
