using Microsoft.Extensions.Hosting;

namespace Bff.Concurrency;

/// <summary>
/// Gathers in memory, away from any request, and writes at an interval, once more when the host stops, and when it is asked to; one writing
/// at a time.
/// </summary>
/// <param name="loop">Counts and logs what fails, which the next writing tries again.</param>
/// <param name="interval">From one writing to the next.</param>
/// <param name="time">The clock.</param>
public abstract class PeriodicFlush(BackgroundLoop loop, TimeSpan interval, TimeProvider time) : BackgroundService
{
    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>Counts and logs what fails.</summary>
    protected BackgroundLoop Loop { get; } = loop;

    /// <summary>The clock.</summary>
    protected TimeProvider Time => time;

    /// <summary>Writes what has been gathered up to now.</summary>
    /// <param name="cancellation">Ends the wait for another writing.</param>
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

    /// <summary>Writes it; never runs twice at the same time.</summary>
    /// <param name="cancellation">The caller no longer waits. What has been taken out of memory must be written all the same.</param>
    protected abstract Task Write(CancellationToken cancellation);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Loop.Every(interval, time, Flush, stoppingToken);
        await Loop.Try(Flush, CancellationToken.None);
    }
}
