using Bff.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Bff.Observability;

/// <summary>Registers the stage.</summary>
internal static class ObservabilityRegistration
{
    /// <summary>One trace, RED metrics, the log, one access log line.</summary>
    public static WebApplicationBuilder AddObservability(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<AccessLogOptions>();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<AccessLogOptions>>().Value);
        services.AddHostedService<RequestActivities>();
        services.AddSingleton<AccessLog>();
        services.AddHostedService(provider => provider.GetRequiredService<AccessLog>());
        services.AddHostedService<TelemetryExport>();
        LogExport.Add(builder);
        // They write queries down, which may hold a token; the access log has the path alone.
        builder.Logging.AddFilter(RequestActivities.RequestLog, LogLevel.None).AddFilter("Yarp.ReverseProxy.Forwarder", LogLevel.Warning);
        return builder;
    }
}
