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

/// <summary>Registers the stage.</summary>
internal static class EdgeRegistration
{
    /// <summary>Client address, request id, response headers, body limits, compression, problem details.</summary>
    public static WebApplicationBuilder AddEdge(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(
            (host, kestrel) =>
            {
                kestrel.AddServerHeader = false;
                // As a service's are read: bytes of a file's name pass as they come.
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

        // The framework's host filtering answers in HTML; HostGateMiddleware does its work.
        services.PostConfigure<HostFilteringOptions>(filtering => filtering.AllowedHosts = ["*"]);
        services.AddOptions<ForwardedHeadersOptions>().PostConfigure<Reloadable<EdgeSettings>>(ConfigureForwardedHeaders);
        services.AddCors();
        services.AddSingleton<ICorsPolicyProvider, CorsRules>();
        return builder;
    }

    /// <summary>Post-configured, so that ASPNETCORE_FORWARDEDHEADERS_ENABLED, which believes everybody, has no effect.</summary>
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
        forwarded.ForwardLimit = null; // As far back as every hop is a known one.
    }
}
