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
/// Sends spans and metrics by OTLP (the log: <see cref="LogExport"/>), as the standard <c>OTEL_*</c> variables say; without an endpoint
/// nothing is recorded or sent. The SDK's own processors batch and export on their threads: nothing on the request path waits for them.
/// </summary>
internal sealed class TelemetryExport(IConfiguration configuration, IHostEnvironment environment, IOptions<EdgeOptions> edge)
    : IHostedLifecycleService,
        IDisposable
{
    private Task _building = Task.CompletedTask;
    private TracerProvider? _traces;
    private MeterProvider? _metrics;

    /// <summary>Beside the start of everything else: it takes a tenth of a second. The host has not started before it is done.</summary>
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

    /// <summary>The SDK reads the environment alone; the variables may also be in the host's files, where this class reads them.</summary>
    private void UseConfiguration(IServiceCollection services) => services.AddSingleton(configuration);

    /// <summary>Who exports.</summary>
    public static ResourceBuilder ResourceOf(IConfiguration configuration, IHostEnvironment environment) =>
        ResourceBuilder
            .CreateDefault()
            .AddService(configuration["OTEL_SERVICE_NAME"] ?? environment.ApplicationName, serviceInstanceId: Environment.MachineName);

    /// <param name="configuration">Holds the variables.</param>
    /// <param name="signal"><c>TRACES</c>, <c>METRICS</c> or <c>LOGS</c>.</param>
    public static bool IsExported(IConfiguration configuration, string signal) =>
        configuration["OTEL_SDK_DISABLED"] is not "true"
        && configuration[$"OTEL_{signal}_EXPORTER"] != "none"
        && (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"]) is { Length: > 0 };
}
