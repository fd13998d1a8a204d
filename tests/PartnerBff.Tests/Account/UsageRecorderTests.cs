using Microsoft.Extensions.Logging;
using PartnerBff.Usage;

namespace PartnerBff.Tests.Account;

/// <summary>No request is lost on its way into the store, whatever happens at the same moment.</summary>
public sealed class UsageRecorderTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task What_is_added_while_the_counts_are_being_written_is_written_with_the_next()
    {
        var clock = new InterruptedTimeProvider(new ManualTimeProvider(Now));
        var store = new EmbeddedUsageStore(clock);
        using var logging = WatchedLogging.NewFactory();
        using var recorder = new UsageRecorder(store, clock, logging.CreateLogger<UsageRecorder>());
        recorder.Add("acme", "GET /a", 200, TimeSpan.Zero, 0);
        clock.BeforeLook(() => recorder.Flush(default).GetAwaiter().GetResult());

        recorder.Add("acme", "GET /a", 200, TimeSpan.Zero, 0);
        await recorder.Flush(default);

        Assert.Equal(2, await Requests(store));
    }

    [Fact]
    public async Task Whoever_asks_and_goes_away_takes_no_counts_along()
    {
        using var reader = new CancellationTokenSource();
        var clock = new ManualTimeProvider(Now);
        var store = new LeavingReader(new EmbeddedUsageStore(clock), reader);
        using var logging = WatchedLogging.NewFactory();
        using var recorder = new UsageRecorder(store, clock, logging.CreateLogger<UsageRecorder>());
        recorder.Add("acme", "GET /a", 200, TimeSpan.Zero, 0);

        await Record.ExceptionAsync(() => recorder.Flush(reader.Token));
        await recorder.Flush(default);

        Assert.True(reader.IsCancellationRequested);
        Assert.Equal(1, await Requests(store));
    }

    private static async Task<long> Requests(IUsageStore store) =>
        (await store.Read("acme", DateOnly.FromDateTime(Now.UtcDateTime), default)).Values.Sum(u => u.Requests);

    /// <summary>Whoever asked goes away in the middle of the write.</summary>
    private sealed class LeavingReader(IUsageStore inner, CancellationTokenSource reader) : IUsageStore
    {
        public async ValueTask Add(string account, DateOnly day, IReadOnlyCollection<(string Endpoint, EndpointUsage Usage)> counts, CancellationToken cancellation)
        {
            await reader.CancelAsync();
            cancellation.ThrowIfCancellationRequested();
            await inner.Add(account, day, counts, cancellation);
        }

        public ValueTask<IReadOnlyDictionary<string, EndpointUsage>> Read(string account, DateOnly day, CancellationToken cancellation) =>
            inner.Read(account, day, cancellation);
    }
}
