namespace Bff.Dev.Upstreams.Faults;

/// <summary>
/// The active faults, one per request id, path prefix and method. The fault for the request's id applies, otherwise the one with the
/// longest prefix.
/// </summary>
public sealed class FaultSwitch
{
    private readonly Lock gate = new();
    private volatile Armed[] armed = [];

    /// <summary>
    /// Sets a fault, replacing the one with the same request id, path and method; <see cref="FaultMode.None"/> removes it.
    /// </summary>
    public void Set(Fault fault)
    {
        lock (gate)
        {
            var others = fault is { Mode: FaultMode.None, Path: null, Method: null, RequestId: null }
                ? []
                : armed.Where(a => a.Fault.Path != fault.Path || a.Fault.Method != fault.Method || a.Fault.RequestId != fault.RequestId);
            armed = [.. fault.Mode == FaultMode.None ? others : others.Append(new Armed(fault))];
        }
    }

    public void Set(FaultMode mode, string? path = null) => Set(new Fault { Mode = mode, Path = path });

    /// <summary>Holds all requests until the result is disposed; they are then answered normally.</summary>
    public IDisposable Hold(string? path = null)
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var fault = new Fault
        {
            Mode = FaultMode.Delay,
            Path = path,
            Until = released.Task,
        };
        Set(fault);
        return new Release(() =>
        {
            lock (gate)
                armed = [.. armed.Where(a => a.Fault != fault)];
            released.TrySetResult();
        });
    }

    public void Heal() => Set(new Fault());

    internal Fault? Take(string method, string path, string? requestId)
    {
        Armed? best = null;
        foreach (var candidate in armed)
        {
            if (candidate.Matches(method, path, requestId) && candidate.Specificity > (best?.Specificity ?? -1))
                best = candidate;
        }
        return best is not null && best.Spend() ? best.Fault : null;
    }

    private sealed class Armed(Fault fault)
    {
        private int left = fault.Count ?? int.MaxValue;

        public Fault Fault { get; } = fault;
        public int Specificity =>
            (Fault.Path?.Length ?? 0) * 2 + (Fault.Method is null ? 0 : 1) + (Fault.RequestId is null ? 0 : 1_000_000);

        public bool Matches(string method, string path, string? requestId) =>
            Volatile.Read(ref left) > 0
            && (Fault.RequestId is not { } id || id == requestId)
            && (Fault.Path is not { } prefix || path.StartsWith(prefix, StringComparison.Ordinal))
            && (Fault.Method is not { } only || string.Equals(only, method, StringComparison.OrdinalIgnoreCase));

        public bool Spend() => Fault.Count is null || Interlocked.Decrement(ref left) >= 0;
    }

    private sealed class Release(Action release) : IDisposable
    {
        public void Dispose() => release();
    }
}
