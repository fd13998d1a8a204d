using Microsoft.Extensions.ObjectPool;

namespace Bff.Upstreams;

/// <summary>
/// A timeout: its token is cancelled when the time is up or the caller no longer waits. A source that never fired is pooled and used again.
/// </summary>
internal readonly struct TimeLimit : IDisposable
{
    private static readonly ObjectPool<CancellationTokenSource> Sources = new DefaultObjectPool<CancellationTokenSource>(
        new Unfired(),
        maximumRetained: 1024
    );

    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _abandoned;
    private readonly bool _isPooled;

    private TimeLimit(CancellationTokenSource source, bool isPooled, CancellationToken abandoned)
    {
        _source = source;
        _isPooled = isPooled;
        _abandoned = abandoned.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), source);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Starts a timeout.</summary>
    /// <param name="span">The time until it fires; less than a millisecond counts as one.</param>
    /// <param name="time">The clock. Sources are pooled for the system's clock only, because no other can be reset.</param>
    /// <param name="abandoned">Cancelled when the caller no longer waits.</param>
    public static TimeLimit Start(TimeSpan span, TimeProvider time, CancellationToken abandoned)
    {
        var atLeast = span.Ticks < TimeSpan.TicksPerMillisecond ? TimeSpan.FromMilliseconds(1) : span;
        if (time != TimeProvider.System)
        {
            return new(new CancellationTokenSource(atLeast, time), isPooled: false, abandoned);
        }

        var source = Sources.Get();
        source.CancelAfter(atLeast);
        return new(source, isPooled: true, abandoned);
    }

    /// <summary>Starts the timeout again with another time. Call it only while the limit cannot have been disposed of.</summary>
    public void Restart(TimeSpan span) => _source.CancelAfter(span);

    /// <summary>Cancels the token before the time is up.</summary>
    public void Cancel() => _source.Cancel();

    /// <summary>Returns the source to its pool or disposes of it. Call this once: another call may use the source afterwards.</summary>
    public void Dispose()
    {
        _abandoned.Dispose(); // Waits for a cancellation in progress, so that the source cannot fire after this line.
        if (_isPooled)
        {
            Sources.Return(_source);
        }
        else
        {
            _source.Dispose();
        }
    }

    /// <summary>
    /// Use it instead of <see cref="Dispose"/> when another thread may be cancelling the limit: the source is not used again.
    /// </summary>
    public void Abandon() => _abandoned.Dispose();

    private sealed class Unfired : IPooledObjectPolicy<CancellationTokenSource>
    {
        public CancellationTokenSource Create() => new();

        public bool Return(CancellationTokenSource source)
        {
            if (source.TryReset())
            {
                return true;
            }

            source.Dispose();
            return false;
        }
    }
}
