using System.Diagnostics;
using Bff.Requests;

namespace Bff.Composition.Progressive;

/// <summary>
/// A composition whose answer begins before it ends. 1. All parts are started, as ever; 2. the answer begins when its required parts are
/// there, not before <c>FirstAfter</c> unless all are there; 3. then it goes on with each part that ends, those that end at once together;
/// 4. when the last has ended, how they went is noted once. Whatever ends the answer before ends the parts.
/// </summary>
internal sealed class ProgressiveRun(Composer composer) : IAsyncDisposable
{
    private readonly List<Part> _pending = [.. composer.Parts];
    private readonly Dictionary<Part, Task> _running = [];
    private Activity? _activity;
    private Task _all = Task.CompletedTask;

    /// <summary>Whether nothing is left to come.</summary>
    public bool IsWhole => _pending.Count == 0;

    /// <summary>Parts that have not ended, in the order of declaration.</summary>
    public IReadOnlyList<Part> Pending => _pending;

    /// <summary>Parts that have.</summary>
    public IReadOnlyList<Part> Settled => IsWhole ? composer.Parts : [.. composer.Parts.Where(part => !_pending.Contains(part))];

    /// <summary>How it went so far.</summary>
    public CompositionReport Report() => composer.Report(Settled);

    /// <summary>Waits until the answer may begin; gives the problem that a required part's failure became, or null.</summary>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
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

    /// <summary>Waits until another part has ended; false: there is none left.</summary>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
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

    /// <summary>Waits for all that is left.</summary>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public async ValueTask Rest()
    {
        if (!IsWhole)
        {
            await _all;
            Note();
        }
    }

    /// <summary>Ends the parts that still run, and waits until they have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_all.IsCompleted)
        {
            composer.Cancel();
            await _all;
        }

        Interlocked.Exchange(ref _activity, null)?.Dispose();
    }

    /// <summary>Takes the parts that have ended out of those to wait for.</summary>
    private Problem? Note()
    {
        composer.Request.HttpContext!.RequestAborted.ThrowIfCancellationRequested();
        _pending.RemoveAll(part => _running[part].IsCompleted);
        return IsWhole ? composer.Conclude() : null; // 4
    }
}
