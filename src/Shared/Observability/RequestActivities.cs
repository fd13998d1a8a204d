using System.Diagnostics;
using Microsoft.Extensions.Hosting;

namespace Bff.Observability;

/// <summary>
/// Gives every request a trace id, exported or not. The framework does so only for its own request log, which is off here: it costs each
/// request a logging scope, and writes paths and queries, which hold personal data. The access log replaces it.
/// </summary>
internal sealed class RequestActivities : IHostedService, IDisposable
{
    /// <summary>The category of the framework's request log.</summary>
    public const string RequestLog = "Microsoft.AspNetCore.Hosting.Diagnostics";

    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = static source => source.Name == "Microsoft.AspNetCore",
        Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.PropagationData,
    };

    public Task StartAsync(CancellationToken cancellationToken)
    {
        ActivitySource.AddActivityListener(_listener);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _listener.Dispose();
}
