using Bff.Upstreams;

namespace PartnerBff.Upstreams;

internal static class UpstreamClients
{
    /// <summary>The services that partners' answers are made of.</summary>
    public static WebApplicationBuilder AddPartnerUpstreams(this WebApplicationBuilder builder) => builder
        .AddUpstreamClient<OrdersClient>("orders")
        .AddUpstreamClient<ProductsClient>("products")
        .AddUpstreamClient<InventoryClient>("inventory");
}
