using Bff.Edge;
using Bff.Requests;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Bff.Observability;

/// <summary>
/// Sends spans and metrics by OTLP (the log: <see cref="LogExport"/>), according to the standard <c>OTEL_*</c> variables. Without an
/// endpoint nothing is recorded or sent. The SDK's processors batch and export on their own threads, so nothing on the request path waits
/// for them.
/// </summary>
internal sealed class TelemetryExport(IConfiguration configuration, IHostEnvironment environment, IOptions<EdgeOptions> edge)
    : IHostedLifecycleService,
        IDisposable
{
    private Task _building = Task.CompletedTask;
    private TracerProvider? _traces;
    private MeterProvider? _metrics;

    /// <summary>
    /// Builds the exporters in parallel with the rest of the start, because that takes a tenth of a second. The start of the host waits for
    /// it at the end.
    /// </summary>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _building = Task.Run(Build, cancellationToken);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => _building;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _traces?.ForceFlush(2000);
        _metrics?.ForceFlush(2000);
        return Task.CompletedTask;
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }

    private void Build()
    {
        var resource = ResourceOf(configuration, environment);
        if (IsExported(configuration, "TRACES"))
        {
            _traces = Sdk.CreateTracerProviderBuilder()
                .ConfigureServices(UseConfiguration)
                .SetResourceBuilder(resource)
                .SetSampler(TraceSampler.From(configuration, edge.Value.TrustTraceContext))
                .AddSource(Instruments.Sources)
                .AddProcessor(new SpanPrivacy())
                .AddOtlpExporter()
                .Build();
        }

        if (IsExported(configuration, "METRICS"))
        {
            _metrics = Sdk.CreateMeterProviderBuilder()
                .ConfigureServices(UseConfiguration)
                .SetResourceBuilder(resource)
                .AddMeter(Instruments.Meters)
                .AddOtlpExporter()
                .Build();
        }
    }

    /// <summary>
    /// Gives the SDK the host's configuration. It reads only the environment by default, but the variables may also be in the host's files,
    /// where this class reads them.
    /// </summary>
    private void UseConfiguration(IServiceCollection services) => services.AddSingleton(configuration);

    /// <summary>Returns the resource that identifies this host.</summary>
    public static ResourceBuilder ResourceOf(IConfiguration configuration, IHostEnvironment environment) =>
        ResourceBuilder
            .CreateDefault()
            .AddService(configuration["OTEL_SERVICE_NAME"] ?? environment.ApplicationName, serviceInstanceId: Environment.MachineName);

    /// <summary>Whether a signal is exported.</summary>
    /// <param name="configuration">The configuration with the variables.</param>
    /// <param name="signal"><c>TRACES</c>, <c>METRICS</c> or <c>LOGS</c>.</param>
    public static bool IsExported(IConfiguration configuration, string signal) =>
        configuration["OTEL_SDK_DISABLED"] is not "true"
        && configuration[$"OTEL_{signal}_EXPORTER"] != "none"
        && (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"]) is { Length: > 0 };
}
