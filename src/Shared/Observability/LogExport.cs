using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;

namespace Bff.Observability;

/// <summary>
/// Sends the log by OTLP beside the console, each entry with its trace and its span, as the standard <c>OTEL_*</c> variables say; without
/// an endpoint nothing is registered. Entries are batched on a thread of the SDK's own. The levels are those of <c>Logging:LogLevel</c>.
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
