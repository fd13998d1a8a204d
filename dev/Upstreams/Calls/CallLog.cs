namespace Bff.Dev.Upstreams.Calls;

/// <summary>The latest calls of one service, with methods to wait for further ones.</summary>
public sealed class CallLog
{
    /// <summary>Maximum number of calls kept, so that a process left running does not grow.</summary>
    public const int Capacity = 4096;

    private readonly Lock gate = new();
    private readonly Queue<RecordedCall> calls = new();
    private readonly List<Waiter> waiters = [];

    /// <summary>A copy of all calls, oldest first.</summary>
    public IReadOnlyList<RecordedCall> All
    {
        get
        {
            lock (gate)
                return [.. calls];
        }
    }

    public int Count
    {
        get
        {
            lock (gate)
                return calls.Count;
        }
    }

    public void Clear()
    {
        lock (gate)
            calls.Clear();
    }

    /// <summary>Waits for the next call that starts from now on.</summary>
    public Task<RecordedCall> NextAsync(CancellationToken ct = default) => WaitAsync(static _ => true, past: false, ct);

    /// <summary>Waits for the first call that matches, among those recorded or still to come.</summary>
    public Task<RecordedCall> FirstAsync(Func<RecordedCall, bool> matches, CancellationToken ct = default) =>
        WaitAsync(matches, past: true, ct);

    /// <summary>Completes once this many calls are in the log.</summary>
    public async Task ReachAsync(int count, CancellationToken ct = default) => await WaitAsync(_ => calls.Count >= count, past: true, ct);

    /// <summary>Waits for the next call, from now on, whose client disconnects before it is answered.</summary>
    public async Task<RecordedCall> NextAbortAsync(CancellationToken ct = default)
    {
        while (true)
        {
            var call = await NextAsync(ct);
            if (await call.Ended.WaitAsync(ct))
                return call;
        }
    }

    internal RecordedCall Begin(Exchange exchange, string service, DateTimeOffset now)
    {
        var call = new RecordedCall(exchange, service, now);
        lock (gate)
        {
            if (calls.Count == Capacity)
                calls.Dequeue();
            calls.Enqueue(call);
            for (var i = waiters.Count - 1; i >= 0; i--)
            {
                if (!waiters[i].Matches(call))
                    continue;
                waiters[i].Signal.TrySetResult(call);
                waiters.RemoveAt(i);
            }
        }
        return call;
    }

    private Task<RecordedCall> WaitAsync(Func<RecordedCall, bool> matches, bool past, CancellationToken ct)
    {
        lock (gate)
        {
            if (past && calls.FirstOrDefault(matches) is { } known)
                return Task.FromResult(known);
            var signal = new TaskCompletionSource<RecordedCall>(TaskCreationOptions.RunContinuationsAsynchronously);
            waiters.Add(new Waiter(matches, signal));
            return signal.Task.WaitAsync(ct);
        }
    }

    private sealed record Waiter(Func<RecordedCall, bool> Matches, TaskCompletionSource<RecordedCall> Signal);
}
