using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using OpenTelemetry.Exporter;

namespace Bff.Observability;

/// <summary>
/// <c>OTEL_EXPORTER_OTLP_HEADERS</c> and its form for one signal: <c>name=value</c>, separated by commas. The SDK would end the host with a
/// stack trace, and the exporter of the log is made before all other settings are checked.
/// </summary>
internal static class OtlpHeaders
{
    private static readonly string[] Signals = ["TRACES", "METRICS", "LOGS"];

    /// <exception cref="InvalidConfigurationException">A value has another form. It is not shown: it holds secrets.</exception>
    public static void Check(IConfiguration configuration)
    {
        var mistakes = Signals
            .Where(signal => TelemetryExport.IsExported(configuration, signal))
            .SelectMany(static signal => (string[])["OTEL_EXPORTER_OTLP_HEADERS", $"OTEL_EXPORTER_OTLP_{signal}_HEADERS"])
            .Distinct()
            .Where(key => configuration[key] is { Length: > 0 } value && !IsTaken(value))
            .Select(key => new ConfigurationMistake(key, "not a list of headers. Write name=value, separated by commas."))
            .ToList();
        if (mistakes.Count > 0)
        {
            throw new InvalidConfigurationException(mistakes);
        }
    }

    /// <summary>The SDK's reader has no door of its own: an exporter reads them when it is made.</summary>
    private static bool IsTaken(string value)
    {
        try
        {
            using var exporter = new OtlpTraceExporter(new OtlpExporterOptions { Headers = value });
            return true;
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or FormatException)
        {
            return false;
        }
    }
}
