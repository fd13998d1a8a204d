using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;

namespace Bff.Observability;

/// <summary>
/// Sends the log by OTLP in addition to the console, each entry with its trace and span, according to the standard <c>OTEL_*</c> variables.
/// Without an endpoint nothing is registered. The SDK batches entries on its own thread. The levels are those of <c>Logging:LogLevel</c>.
/// </summary>
internal static class LogExport
{
    public static void Add(WebApplicationBuilder builder)
    {
        if (!TelemetryExport.IsExported(builder.Configuration, "LOGS"))
        {
            return;
        }

        builder.Logging.AddOpenTelemetry(logs =>
        {
            logs.SetResourceBuilder(TelemetryExport.ResourceOf(builder.Configuration, builder.Environment));
            logs.IncludeFormattedMessage = true;
            logs.AddOtlpExporter();
        });
    }
}
