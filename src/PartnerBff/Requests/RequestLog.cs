using System.Threading.Channels;
using Bff.Concurrency;
using Bff.State;

namespace PartnerBff.Requests;

/// <summary>
/// Collects requests in memory and writes them every second, and before they are read; no request waits for that. A failed write is not
/// repeated, because it may have succeeded; its requests may be lost. This is a log, not a bill.
/// </summary>
internal sealed class RequestLog(IRequestLogStore store, TimeProvider time, ILogger<RequestLog> logger)
    : PeriodicFlush(new("request-log", logger), TimeSpan.FromSeconds(1), time)
{
    private const int MaxWaiting = 20_000;

    private readonly Channel<(string Account, LoggedRequest Request)> _waiting = Channel.CreateBounded<(string, LoggedRequest)>(
        new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropOldest }
    );

    public void Add(string account, LoggedRequest request) => _waiting.Writer.TryWrite((account, request));

    /// <summary>Returns the account's latest requests, newest first, including all of this instance.</summary>
    /// <exception cref="StoreUnavailableException">The store is unavailable.</exception>
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
    /// Writes one account's requests. Not cancelled, because the reader may disconnect while others' requests are among them. One account's
    /// failure does not affect the others.
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
            // The state logs it.
        }
#pragma warning disable CA1031 // The loop goes on.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Loop.Failed(account, failure);
        }
    }
}
