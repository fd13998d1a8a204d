using Bff.Upstreams;

namespace WebBff.Upstreams;

internal static class UpstreamClients
{
    /// <summary>The services that the web app's answers are made of.</summary>
    public static WebApplicationBuilder AddWebUpstreams(this WebApplicationBuilder builder) => builder
        .AddUpstreamClient<UsersClient>("users")
        .AddUpstreamClient<OrdersClient>("orders")
        .AddUpstreamClient<ProductsClient>("products")
        .AddUpstreamClient<CatalogClient>("catalog", isShared: true)
        .AddUpstreamClient<ReviewsClient>("reviews", isShared: true)
        .AddUpstreamClient<InventoryClient>("inventory", isShared: true)
        .AddUpstreamClient<PricingClient>("pricing", isShared: true)
        .AddUpstreamClient<RecommendationsClient>("recommendations", isShared: true)
        .AddUpstreamClient<NotificationsClient>("notifications")
        .AddUpstreamClient<ShippingClient>("shipping")
        .AddUpstreamClient<SearchClient>("search");
}
