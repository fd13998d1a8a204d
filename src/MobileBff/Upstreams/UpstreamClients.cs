using Bff.Upstreams;

namespace MobileBff.Upstreams;

internal static class UpstreamClients
{
    /// <summary>Adds clients for the services that the mobile app's answers are composed from.</summary>
    public static WebApplicationBuilder AddMobileUpstreams(this WebApplicationBuilder builder) =>
        builder
            .AddUpstream<IUsers>("users")
            .AddUpstream<IOrders>("orders")
            .AddUpstream<IRecommendations>("recommendations")
            .AddUpstream<INotifications>("notifications")
            .AddUpstream<IProducts>("products", isShared: true)
            .AddUpstream<IPricing>("pricing", isShared: true)
            .AddUpstream<IReviews>("reviews", isShared: true)
            .AddUpstream<IInventory>("inventory", isShared: true)
            .AddUpstream<IShipping>("shipping")
            .AddUpstream<ISearch>("search")
            .AddUpstream<IMedia>("media", isShared: true);
}

/// <summary>Converts the clients' methods into calls; Refit's generator finds it in this assembly.</summary>
internal sealed class Calls<T>() : DeclaredCalls<T>(UpstreamJson.Default);

/// <summary>Converts the clients' methods into writes.</summary>
internal sealed class Writes<T>() : DeclaredWrites<T>(UpstreamJson.Default);
