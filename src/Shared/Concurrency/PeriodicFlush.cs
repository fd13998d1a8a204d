using Microsoft.Extensions.Hosting;

namespace Bff.Concurrency;

/// <summary>
/// Collects data in memory during requests and writes it outside of them: at an interval, once when the host stops, and on request. Only
/// one write runs at a time.
/// </summary>
/// <param name="loop">Counts and logs failures. The next write retries them.</param>
/// <param name="interval">The interval between writes.</param>
/// <param name="time">The clock.</param>
public abstract class PeriodicFlush(BackgroundLoop loop, TimeSpan interval, TimeProvider time) : BackgroundService
{
    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>Counts and logs failures.</summary>
    protected BackgroundLoop Loop { get; } = loop;

    /// <summary>The clock.</summary>
    protected TimeProvider Time => time;

    /// <summary>Writes what has been collected so far.</summary>
    /// <param name="cancellation">Ends the wait for another write.</param>
    public async Task Flush(CancellationToken cancellation)
    {
        await _writing.WaitAsync(cancellation);
        try
        {
            await Write(cancellation);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _writing.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Writes the collected data. Never runs twice at the same time.</summary>
    /// <param name="cancellation">The caller no longer waits. Data that has been taken out of memory must still be written.</param>
    protected abstract Task Write(CancellationToken cancellation);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Loop.Every(interval, time, Flush, stoppingToken);
        await Loop.Try(Flush, CancellationToken.None);
    }
}
