using Microsoft.Extensions.ObjectPool;

namespace Bff.Upstreams;

/// <summary>
/// Cancels what it was started for when its time is up or the caller no longer waits. A source that never fired is used again.
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

    /// <param name="span">At least a millisecond is given.</param>
    /// <param name="time">Only the system's clock can be reset, hence pooled.</param>
    /// <param name="abandoned">The caller no longer waits.</param>
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

    /// <summary>Begins anew with another span; only while it cannot have been disposed of.</summary>
    public void Restart(TimeSpan span) => _source.CancelAfter(span);

    /// <summary>Before its time.</summary>
    public void Cancel() => _source.Cancel();

    /// <summary>Call it once: the source may serve another call afterwards.</summary>
    public void Dispose()
    {
        _abandoned.Dispose(); // Waits for a cancellation that is just being passed on: after this the source does not fire.
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
    /// In place of <see cref="Dispose"/> where it may just be being cancelled: the source is not used again.
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
