using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using OpenTelemetry.Exporter;

namespace Bff.Observability;

/// <summary>
/// Checks <c>OTEL_EXPORTER_OTLP_HEADERS</c> and its variants for one signal: <c>name=value</c>, separated by commas. The SDK would end the
/// host with a stack trace. This check runs before all others, because the exporter of the log is created first.
/// </summary>
internal static class OtlpHeaders
{
    private static readonly string[] Signals = ["TRACES", "METRICS", "LOGS"];

    /// <summary>Checks the headers of every exported signal.</summary>
    /// <exception cref="InvalidConfigurationException">A value has another form. The message omits it, because it is secret.</exception>
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

    /// <summary>Returns whether the SDK can read the value. Its parser is not public, but a new exporter parses the value.</summary>
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
