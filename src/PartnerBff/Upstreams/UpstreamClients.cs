using Bff.Upstreams;

namespace PartnerBff.Upstreams;

internal static class UpstreamClients
{
    /// <summary>Adds clients for the services that partners' answers are composed from.</summary>
    public static WebApplicationBuilder AddPartnerUpstreams(this WebApplicationBuilder builder) =>
        builder.AddUpstream<IOrders>("orders").AddUpstream<IProducts>("products").AddUpstream<IInventory>("inventory");
}

/// <summary>Converts the clients' methods into calls; Refit's generator finds it in this assembly.</summary>
internal sealed class Calls<T>() : DeclaredCalls<T>(UpstreamJson.Default);

/// <summary>Converts the clients' methods into writes.</summary>
internal sealed class Writes<T>() : DeclaredWrites<T>(UpstreamJson.Default);
