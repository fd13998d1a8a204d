using System.Threading.Channels;
using Bff.Concurrency;
using Bff.State;

namespace PartnerBff.Requests;

/// <summary>
/// Notes requests in memory and writes them every second, and before they are read; never on the way of a request. A write that fails
/// is not repeated, for it may have happened: what it held is lost. It is a log, not a bill.
/// </summary>
internal sealed class RequestLog(IRequestLogStore store, TimeProvider time, ILogger<RequestLog> logger)
    : PeriodicFlush(new("request-log", logger), TimeSpan.FromSeconds(1), time)
{
    private const int MaxWaiting = 20_000;

    private readonly Channel<(string Account, LoggedRequest Request)> _waiting = Channel.CreateBounded<(string, LoggedRequest)>(
        new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropOldest }
    );

    public void Add(string account, LoggedRequest request) => _waiting.Writer.TryWrite((account, request));

    /// <summary>The account's latest requests, newest first; those of this instance up to now.</summary>
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public async Task<IReadOnlyList<LoggedRequest>> Read(string account, CancellationToken cancellation)
    {
        await Flush(cancellation);
        return await store.Read(account, cancellation);
    }

    protected override async Task Write(CancellationToken cancellation)
    {
        var taken = new List<(string Account, LoggedRequest Request)>();
        while (_waiting.Reader.TryRead(out var one))
        {
            taken.Add(one);
        }

        foreach (var account in taken.GroupBy(t => t.Account))
        {
            await Write(account.Key, [.. account.Select(a => a.Request).TakeLast(IRequestLogStore.Kept)]);
        }
    }

    /// <summary>
    /// Not cancelled: the reader may go away, and others' requests are among these. One account's failure is not the others'.
    /// </summary>
    private async Task Write(string account, IReadOnlyList<LoggedRequest> requests)
    {
        try
        {
            await store.Add(account, requests, CancellationToken.None);
            Loop.Succeeded(account);
        }
        catch (StoreUnavailableException)
        {
            // The state's own log says so.
        }
#pragma warning disable CA1031 // The loop goes on.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Loop.Failed(account, failure);
        }
    }
}
