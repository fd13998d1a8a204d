using System.Collections.Concurrent;
using Bff.Configuration;
using Bff.Upstreams;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Composition;

/// <summary>
/// Warns at start, and when configuration changes, about retries that cannot happen. A write that may be repeated under its idempotency key
/// is never hedged, so a service that hangs uses up the whole timeout of the first attempt. If that is all the time that a composition has,
/// none is left for a retry.
/// </summary>
internal sealed partial class KeyedWriteTime(
    RequiredUpstreams clients,
    Reloadable<UpstreamRegistry.Parsed> upstreams,
    Reloadable<CompositionPolicies> policies,
    ILogger<KeyedWriteTime> logger
) : IHostedService
{
    private readonly ConcurrentDictionary<(string Key, TimeSpan Timeout, int Retries, TimeSpan Deadline), bool> _said = new();

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Look();
        upstreams.OnChange(_ => Look());
        policies.OnChange(_ => Look());
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Look()
    {
        foreach (var name in clients.KeyedWrites)
        {
            Look("Upstreams", upstreams.Current.Live.GetValueOrDefault(name));
            Look("Sandbox:Upstreams", upstreams.Current.Sandbox.GetValueOrDefault(name));
        }
    }

    private void Look(string section, UpstreamOptions? options)
    {
        var deadline = policies.Current.Deadline;
        if (
            options is { Retries: > 0 }
            && options.Timeout * options.Retries >= deadline
            && _said.TryAdd(($"{section}:{options.Name}", options.Timeout, options.Retries, deadline), true)
        )
        {
            LogNoTime(logger, $"{section}:{options.Name}", options.Name, options.Timeout, options.Retries, deadline);
        }
    }

    [LoggerMessage(
        1702,
        LogLevel.Warning,
        "{Section}:Timeout ({Timeout}) is too long for a keyed write to {Upstream} to use all of "
            + "{Section}:Retries ({Retries}) within Composition:Deadline ({Deadline}): if the service does not answer, "
            + "the last retry is never sent. Shorten the timeout, or allow fewer retries.",
        EventName = "KeyedWriteTimeTooShort"
    )]
    private static partial void LogNoTime(
        ILogger logger,
        string section,
        string upstream,
        TimeSpan timeout,
        int retries,
        TimeSpan deadline
    );
}
