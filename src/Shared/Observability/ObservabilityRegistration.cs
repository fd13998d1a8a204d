using Bff.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Bff.Observability;

/// <summary>Registers the observability stage.</summary>
internal static class ObservabilityRegistration
{
    /// <summary>Registers one trace, RED metrics, the log and one access log line per request.</summary>
    public static WebApplicationBuilder AddObservability(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<AccessLogOptions>();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<AccessLogOptions>>().Value);
        services.AddHostedService<RequestActivities>();
        services.AddSingleton<AccessLog>();
        services.AddHostedService(provider => provider.GetRequiredService<AccessLog>());
        services.AddHostedService<TelemetryExport>();
        OtlpHeaders.Check(builder.Configuration);
        LogExport.Add(builder);
        // These categories log queries, which may hold a token. The access log contains only the route.
        builder.Logging.AddFilter(RequestActivities.RequestLog, LogLevel.None).AddFilter("Yarp.ReverseProxy.Forwarder", LogLevel.Warning);
        return builder;
    }
}
