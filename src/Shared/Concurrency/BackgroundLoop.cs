using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Bff.Concurrency;

/// <summary>
/// Runs a host's background work in rounds. A failed round ends neither the work nor the host, and the next round retries it. Each failure
/// is counted (<c>bff.background.failures</c> by <c>loop</c>). It is logged when the work begins to fail, fails in another way, or succeeds
/// again. Work on many items, such as accounts, reports which of them failed, so that they are logged separately.
/// </summary>
/// <param name="name">The name of the work in the log and in the metric, such as <c>api-key-uses</c>.</param>
/// <param name="logger">The logger of the class that does the work.</param>
public sealed partial class BackgroundLoop(string name, ILogger logger)
{
    private const int MostParts = 10_000;
    private static readonly Meter Meter = new("Bff.Concurrency");

    private static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "bff.background.failures",
        "{round}",
        "Rounds of background work that failed and are tried again."
    );

    private readonly ConcurrentDictionary<string, string> _failingParts = new(StringComparer.Ordinal);
    private string? _failing;

    /// <summary>Runs a round at every tick until the host stops. A round that takes longer than the interval delays the next.</summary>
    public async Task Every(TimeSpan interval, TimeProvider time, Func<CancellationToken, Task> round, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                await Try(round, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The host is stopping.
        }
    }

    /// <summary>Runs one round and never throws.</summary>
    /// <returns>Whether the round succeeded; also false when the host is stopping.</returns>
    public async Task<bool> Try(Func<CancellationToken, Task> round, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(round);
        try
        {
            await round(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return false;
        }
#pragma warning disable CA1031 // An exception in a background service would end the host.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Failed(failure);
            return false;
        }

        Succeeded();
        return true;
    }

    /// <summary>Records a success, after <see cref="Failed(Exception)"/>.</summary>
    public void Succeeded()
    {
        if (Interlocked.Exchange(ref _failing, null) is not null)
        {
            LogWorks(logger, name);
        }
    }

    /// <summary>Records a failure of work that has its own retry: counts it, and logs it when the state changes.</summary>
    public void Failed(Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        Failures.Add(1, new KeyValuePair<string, object?>("loop", name));
        var kind = failure.GetType().Name;
        if (Interlocked.Exchange(ref _failing, kind) != kind)
        {
            LogFails(logger, failure, name);
        }
    }

    /// <summary>Records a success of one item, after <see cref="Failed(string, Exception)"/>.</summary>
    public void Succeeded(string part)
    {
        if (!_failingParts.IsEmpty && _failingParts.TryRemove(part, out _))
        {
            LogPartWorks(logger, name, part);
        }
    }

    /// <summary>Records a failure of one item, which is retried while the others continue.</summary>
    public void Failed(string part, Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        Failures.Add(1, new KeyValuePair<string, object?>("loop", name));
        var kind = failure.GetType().Name;
        if (
            _failingParts.TryGetValue(part, out var known)
                ? known != kind && _failingParts.TryUpdate(part, kind, known)
                : _failingParts.Count < MostParts && _failingParts.TryAdd(part, kind)
        )
        {
            LogPartFails(logger, failure, name, part);
        }
    }

    [LoggerMessage(
        2001,
        LogLevel.Warning,
        "Background work {Loop} fails for {Part}; the other items go on, and this one is retried until it succeeds",
        EventName = "BackgroundItemFails"
    )]
    private static partial void LogPartFails(ILogger logger, Exception failure, string loop, string part);

    [LoggerMessage(2002, LogLevel.Information, "Background work {Loop} succeeds again for {Part}", EventName = "BackgroundItemRecovered")]
    private static partial void LogPartWorks(ILogger logger, string loop, string part);

    [LoggerMessage(
        2003,
        LogLevel.Warning,
        "Background work {Loop} fails; it is retried until it succeeds",
        EventName = "BackgroundWorkFails"
    )]
    private static partial void LogFails(ILogger logger, Exception failure, string loop);

    [LoggerMessage(2004, LogLevel.Information, "Background work {Loop} succeeds again", EventName = "BackgroundWorkRecovered")]
    private static partial void LogWorks(ILogger logger, string loop);
}
