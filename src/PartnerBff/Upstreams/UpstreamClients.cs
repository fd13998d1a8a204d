using Bff.Upstreams;

namespace PartnerBff.Upstreams;

internal static class UpstreamClients
{
    /// <summary>The services that partners' answers are made of.</summary>
    public static WebApplicationBuilder AddPartnerUpstreams(this WebApplicationBuilder builder) =>
        builder.AddUpstream<IOrders>("orders").AddUpstream<IProducts>("products").AddUpstream<IInventory>("inventory");
}

/// <summary>Makes the clients' calls; Refit's generator finds it in this assembly.</summary>
internal sealed class Calls<T>() : DeclaredCalls<T>(UpstreamJson.Default);

/// <summary>The same for those that change something.</summary>
internal sealed class Writes<T>() : DeclaredWrites<T>(UpstreamJson.Default);
