using System.Diagnostics;
using System.Text;
using Bff.Configuration;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Bff.Edge;

/// <summary>Registers the edge.</summary>
internal static class EdgeRegistration
{
    /// <summary>Adds client address, request id, response headers, body limits, compression and problem details.</summary>
    public static WebApplicationBuilder AddEdge(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(
            (host, kestrel) =>
            {
                kestrel.AddServerHeader = false;
                // Services' response headers are read as Latin-1 too, so the bytes of a file name pass unchanged.
                kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
                KestrelLimits.Apply(host.Configuration, kestrel.Limits);
            }
        );

        var services = builder.Services;
        services.AddSettings<KestrelLimits>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<EdgeOptions>();
        services.AddSingleton<IProblemWriter, ProblemWriter>();
        services.AddReloadable(EdgeSettings.Sections, EdgeSettings.Parse);
        services.AddSingleton(provider => new PublicUrl(provider.GetRequiredService<Reloadable<EdgeSettings>>()));
        services.Replace(ServiceDescriptor.Singleton<DistributedContextPropagator, InboundTraceContext>());

        // The framework's host filtering responds with HTML, so HostGateMiddleware replaces it.
        services.PostConfigure<HostFilteringOptions>(filtering => filtering.AllowedHosts = ["*"]);
        services.AddOptions<ForwardedHeadersOptions>().PostConfigure<Reloadable<EdgeSettings>>(ConfigureForwardedHeaders);
        services.AddCors();
        services.AddSingleton<ICorsPolicyProvider, CorsRules>();
        return builder;
    }

    /// <summary>
    /// Configures forwarded headers. It runs after other configuration, so that ASPNETCORE_FORWARDEDHEADERS_ENABLED, which trusts
    /// everybody, has no effect.
    /// </summary>
    private static void ConfigureForwardedHeaders(ForwardedHeadersOptions forwarded, Reloadable<EdgeSettings> settings)
    {
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        settings.Current.KnownProxies.ForEach(forwarded.KnownProxies.Add);
        settings.Current.KnownNetworks.ForEach(forwarded.KnownIPNetworks.Add);
        var any = forwarded.KnownProxies.Count + forwarded.KnownIPNetworks.Count > 0;
        forwarded.ForwardedHeaders = any
            ? ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost
            : ForwardedHeaders.None;
        forwarded.ForwardLimit = null; // As far back as every hop is known.
    }
}
