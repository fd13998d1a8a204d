using Bff.Concurrency;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bff.Upstreams.Discovery;

/// <summary>
/// The addresses of a pool. Addresses without a name stay as configured. Names are resolved at the first call and then again every
/// <see cref="LookEvery"/>: new instances get calls, removed ones get no more, and calls in flight are left alone. A failed or empty result
/// changes nothing.
/// </summary>
internal sealed class PoolAddresses : IDisposable
{
    /// <summary>Together with the time of a look-up, less than the 10 s within which a removed address gets no more calls.</summary>
    internal static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LookFor = TimeSpan.FromSeconds(4);

    private readonly Uri[] _written;
    private readonly PoolServices _services;
    private readonly UpstreamLog.Pool? _log;
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _starting = new();
    private volatile UpstreamAddress[] _current;
    private Task? _first;

    public PoolAddresses(IEnumerable<Uri> written, PoolServices services, UpstreamLog.Pool? log)
    {
        _written = [.. written];
        (_services, _log) = (services, log);
        _current =
            services.Names is not null && _written.Any(ServiceNames.IsName)
                ? []
                : [.. _written.Select(uri => new UpstreamAddress(new(uri), services.Time))];
    }

    /// <summary>The addresses that calls go to; empty until a name has been resolved for the first time.</summary>
    public UpstreamAddress[] Current => _current;

    /// <summary>Waits for the first resolution of names; returns false if no address is known in time.</summary>
    /// <param name="within">How long the call can wait.</param>
    /// <param name="cancellation">Cancelled when the caller no longer waits.</param>
    public async ValueTask<bool> Found(TimeSpan within, CancellationToken cancellation)
    {
        Task first;
        lock (_starting)
        {
            first = _first ??= Begin();
        }

        if (within > TimeSpan.Zero)
        {
            await first.WaitAsync(within, _services.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return _current.Length > 0;
    }

    /// <summary>Stops the look-ups. Does not dispose of the token source, because a running look-up still reads it.</summary>
    public void Dispose() => _over.Cancel();

    /// <summary>Starts the look-ups; the task ends with the first one.</summary>
    private Task Begin()
    {
        using var apart = ExecutionContext.SuppressFlow(); // The look-ups outlive the request that started them.
        var first = Look();
        _ = GoOn(first, _over.Token);
        return first;
    }

    private async Task GoOn(Task first, CancellationToken over)
    {
        await first;
        await new BackgroundLoop("addresses", _log?.Logger ?? NullLogger.Instance).Every(LookEvery, _services.Time, _ => Look(), over);
    }

    /// <summary>Resolves all names once; never throws.</summary>
    private async Task Look()
    {
        using var limit = TimeLimit.Start(LookFor, _services.Time, _over.Token);
        try
        {
            var found = new List<ServiceAddress>();
            foreach (var written in _written)
            {
                found.AddRange(await _services.Names!.Find(written, limit.Token).WaitAsync(limit.Token));
            }

            if (found.Count == 0)
            {
                _log?.Unresolved("no instance is known");
                return;
            }

            Take(found);
        }
#pragma warning disable CA1031 // A failed look-up changes nothing.
        catch (Exception unknown)
#pragma warning restore CA1031
        {
            if (!_over.IsCancellationRequested)
            {
                _log?.Unresolved(unknown is OperationCanceledException ? "no answer in time" : unknown.Message);
            }
        }
    }

    private void Take(List<ServiceAddress> found)
    {
        var before = _current;
        var kept = found
            .Distinct()
            .Select(f => before.FirstOrDefault(b => b.Where == f) ?? new UpstreamAddress(f, _services.Time))
            .ToArray();
        var added = kept.Count(k => !before.Contains(k));
        var removed = before.Count(b => !kept.Contains(b));
        if (added + removed > 0)
        {
            _current = kept;
            _log?.AddressesChanged(added, removed);
        }
    }
}
