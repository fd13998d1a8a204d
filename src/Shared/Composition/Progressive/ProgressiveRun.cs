using System.Diagnostics;
using Bff.Requests;

namespace Bff.Composition.Progressive;

/// <summary>
/// Runs a composition whose answer starts before all parts have ended. 1. All parts are started, as always; 2. the answer starts when its
/// required parts have ended, but not before <c>FirstAfter</c> unless all parts have; 3. it continues with each part that ends; parts that
/// end at the same time share a line; 4. when the last part has ended, the outcome is recorded once. If the answer ends early, so do the
/// parts.
/// </summary>
internal sealed class ProgressiveRun(Composer composer) : IAsyncDisposable
{
    private readonly List<Part> _pending = [.. composer.Parts];
    private readonly Dictionary<Part, Task> _running = [];
    private Activity? _activity;
    private Task _all = Task.CompletedTask;

    /// <summary>Whether all parts have ended.</summary>
    public bool IsWhole => _pending.Count == 0;

    /// <summary>Parts that have not ended, in the order of declaration.</summary>
    public IReadOnlyList<Part> Pending => _pending;

    /// <summary>Parts that have ended, in the order of declaration.</summary>
    public IReadOnlyList<Part> Settled => IsWhole ? composer.Parts : [.. composer.Parts.Where(part => !_pending.Contains(part))];

    /// <summary>Returns the outcome so far.</summary>
    public CompositionReport Report() => composer.Report(Settled);

    /// <summary>Waits until the answer may start; returns the problem that a failed required part caused, or null.</summary>
    /// <exception cref="OperationCanceledException">The client has disconnected.</exception>
    public async ValueTask<Problem?> First()
    {
        // 1
        _activity = CompositionTelemetry.Start("compose ", composer.Endpoint);
        composer.StartClock();
        var running = composer.StartParts();
        for (var i = 0; i < running.Length; i++)
        {
            _running.Add(composer.Parts[i], running[i]);
        }

        // 2
        _all = Task.WhenAll(running);
        await Task.WhenAny(_all, Task.WhenAll(_running.Where(static part => part.Key.IsRequired).Select(static part => part.Value)));
        if (composer.HasFailed)
        {
            await _all;
        }

        var left = composer.FirstAfter - composer.Time.GetElapsedTime(composer.Request.StartTimestamp);
        if (left > TimeSpan.Zero && !_all.IsCompleted)
        {
            await _all.WaitAsync(left, composer.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return Note();
    }

    /// <summary>Waits until another part has ended; returns false if none is left.</summary>
    /// <exception cref="OperationCanceledException">The client has disconnected.</exception>
    public async ValueTask<bool> Next()
    {
        if (IsWhole)
        {
            return false;
        }

        // 3
        await Task.WhenAny(_pending.Select(part => _running[part]));
        Note();
        return true;
    }

    /// <summary>Waits for all remaining parts.</summary>
    /// <exception cref="OperationCanceledException">The client has disconnected.</exception>
    public async ValueTask Rest()
    {
        if (!IsWhole)
        {
            await _all;
            Note();
        }
    }

    /// <summary>Cancels the parts that still run, and waits until they have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_all.IsCompleted)
        {
            composer.Cancel();
            await _all;
        }

        Interlocked.Exchange(ref _activity, null)?.Dispose();
    }

    /// <summary>Removes the parts that have ended from the pending ones.</summary>
    private Problem? Note()
    {
        composer.Request.HttpContext!.RequestAborted.ThrowIfCancellationRequested();
        _pending.RemoveAll(part => _running[part].IsCompleted);
        return IsWhole ? composer.Conclude() : null; // 4
    }
}
