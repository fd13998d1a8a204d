using Bff.Upstreams;

namespace MobileBff.Upstreams;

internal static class UpstreamClients
{
    /// <summary>The services that the mobile app's answers are made of.</summary>
    public static WebApplicationBuilder AddMobileUpstreams(this WebApplicationBuilder builder) => builder
        .AddUpstreamClient<UsersClient>("users")
        .AddUpstreamClient<OrdersClient>("orders")
        .AddUpstreamClient<RecommendationsClient>("recommendations")
        .AddUpstreamClient<NotificationsClient>("notifications")
        .AddUpstreamClient<ProductsClient>("products", isShared: true)
        .AddUpstreamClient<PricingClient>("pricing", isShared: true)
        .AddUpstreamClient<ReviewsClient>("reviews", isShared: true)
        .AddUpstreamClient<InventoryClient>("inventory", isShared: true)
        .AddUpstreamClient<ShippingClient>("shipping")
        .AddUpstreamClient<SearchClient>("search")
        .AddUpstreamClient<MediaClient>("media", isShared: true);
}
