using System.Threading.Channels;
using Bff.State;

namespace PartnerBff.Requests;

/// <summary>Notes requests in memory and writes them every second, and before somebody reads them; never on the way of a request. What a store that is away misses is lost: it is a log, not a bill.</summary>
internal sealed partial class RequestLog(IRequestLogStore store, TimeProvider time, ILogger<RequestLog> logger) : BackgroundService
{
    private const int MaxWaiting = 20_000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _flushing = new(1, 1);

    private readonly Channel<(string Account, LoggedRequest Request)> _waiting =
        Channel.CreateBounded<(string, LoggedRequest)>(new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropOldest });

    public void Add(string account, LoggedRequest request) => _waiting.Writer.TryWrite((account, request));

    /// <summary>The account's latest requests, newest first; those of this instance up to now.</summary>
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public async Task<IReadOnlyList<LoggedRequest>> Read(string account, CancellationToken cancellation)
    {
        await Flush(cancellation);
        return await store.Read(account, cancellation);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await FlushSafely(stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }

        await FlushSafely(CancellationToken.None);
    }

    public override void Dispose()
    {
        _flushing.Dispose();
        base.Dispose();
    }

    private async Task Flush(CancellationToken cancellation)
    {
        await _flushing.WaitAsync(cancellation);
        try
        {
            var taken = new List<(string Account, LoggedRequest Request)>();
            while (_waiting.Reader.TryRead(out var one))
            {
                taken.Add(one);
            }

            foreach (var account in taken.GroupBy(t => t.Account))
            {
                await store.Add(account.Key, [.. account.Select(a => a.Request).TakeLast(IRequestLogStore.Kept)], CancellationToken.None); // Whoever reads may go away; others' requests are among them.
            }
        }
        finally
        {
            _flushing.Release();
        }
    }

    private async Task FlushSafely(CancellationToken cancellation)
    {
        try
        {
            await Flush(cancellation);
        }
        catch (StoreUnavailableException)
        {
            // The state's own log says so.
        }
#pragma warning disable CA1031 // The next round tries again.
        catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
        {
            LogFailed(logger, failure);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Requests could not be noted")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
