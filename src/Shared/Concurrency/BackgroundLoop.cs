using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Bff.Concurrency;

/// <summary>
/// Work that a host does in rounds until it ends. A round that fails ends neither the work nor the host: it is counted
/// (<c>bff.background.failures</c> by
/// <c>loop</c>), logged when the work begins to fail, fails in another way, or succeeds again, and the next round tries again. Work on many
/// things, such as accounts, says which of them failed: one thing's trouble is not the others'.
/// </summary>
/// <param name="name">In the log and in the metric, such as <c>api-key-uses</c>.</param>
/// <param name="logger">Of the class whose work it is.</param>
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

    /// <summary>
    /// Runs a round at every tick until the host stops, then returns; a round that lasts longer than the interval delays the next.
    /// </summary>
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
            // The host stops.
        }
    }

    /// <summary>Runs one round and never throws.</summary>
    /// <returns>Whether it was done; also false when the host stops.</returns>
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
#pragma warning disable CA1031 // An exception that leaves a background service ends the host.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Failed(failure);
            return false;
        }

        Succeeded();
        return true;
    }

    /// <summary>The counterpart of <see cref="Failed(Exception)"/>.</summary>
    public void Succeeded()
    {
        if (Interlocked.Exchange(ref _failing, null) is not null)
        {
            LogWorks(logger, name);
        }
    }

    /// <summary>For work that has its own way to go on: counts a failure, and logs it when the state changes.</summary>
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

    /// <summary>The counterpart of <see cref="Failed(string, Exception)"/>.</summary>
    public void Succeeded(string part)
    {
        if (!_failingParts.IsEmpty && _failingParts.TryRemove(part, out _))
        {
            LogPartWorks(logger, name, part);
        }
    }

    /// <summary>A part of the work failed and is tried again, while the rest goes on.</summary>
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
