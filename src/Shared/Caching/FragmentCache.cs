using System.Collections.Concurrent;
using System.Text.Json;
using Bff.Upstreams;
using Microsoft.Extensions.Logging;

namespace Bff.Caching;

/// <summary>
/// A read goes this way:
/// 1. a fresh fragment in this process; 2. a stale one, while one flight refreshes it behind the answer; 3. else it joins the flight for the same
/// key, or starts one: 4. the flight looks into Redis, 5. asks the upstream, 6. keeps a good answer here and in Redis, unless its tags were
/// invalidated since it set out. Failures are never kept.
/// </summary>
internal sealed partial class FragmentCache(
    FragmentMemory memory, TagGenerations generations, ISharedFragments? shared, CacheMetrics metrics, TimeProvider time, ILogger<FragmentCache> logger)
    : IFragmentCache
{
    private static readonly TimeSpan FlightLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RefreshPause = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<FragmentKey, object> _flights = new(FragmentKeyComparer.Instance);

    public bool TryGet<T>(in FragmentRequest<T> request, out Fragment<T> fragment)
    {
        if (request.IsKept && FragmentKey.TryMake(request, out var key) && Find<T>(key) is { } entry)
        {
            var age = time.GetElapsedTime(entry.Since);
            if (age < request.Fresh)
            {
                metrics.Add("hit", request.Scope);
                fragment = Serve(entry, FragmentSource.Cached, age);
                return true;
            }
        }

        fragment = default;
        return false;
    }

    public ValueTask<Fragment<T>> Get<T>(
        FragmentRequest<T> request, Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch, CancellationToken cancellation)
    {
        if (TryGet(request, out var fresh))
        {
            return new(fresh);
        }

        if (!FragmentKey.TryMake(request, out var key))
        {
            metrics.Add("bypass", request.Scope);
            return Alone(fetch, cancellation);
        }

        if (request.IsKept && Find<T>(key) is { } entry && time.GetElapsedTime(entry.Since) is var age && age < request.Fresh + request.Stale)
        {
            metrics.Add("stale", request.Scope);
            Refresh(key, request, fetch, entry);
            return new(Serve(entry, FragmentSource.Stale, age));
        }

        return Fly(key, request, fetch, cancellation);
    }

    private FragmentEntry<T>? Find<T>(in FragmentKey key) =>
        memory.Find<T>(key) is { } entry && generations.AreCurrent(entry.Stamp) ? entry : null;

    private static Fragment<T> Serve<T>(FragmentEntry<T> entry, FragmentSource source, TimeSpan age) =>
        new(UpstreamAnswer<T>.Ok(entry.Value), source, (int)age.TotalSeconds) { Json = entry.Json };

    private static async ValueTask<Fragment<T>> Alone<T>(Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch, CancellationToken cancellation) =>
        new(await fetch(cancellation), FragmentSource.Live, 0);

    private ValueTask<Fragment<T>> Fly<T>(
        FragmentKey key, FragmentRequest<T> request, Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (_flights.TryGetValue(key, out var known))
            {
                var flight = (Flight<T>)known;
                if (generations.AreCurrent(flight.Stamp) && flight.TryJoin())
                {
                    metrics.Add("joined", request.Scope);
                    return flight.Wait(cancellation);
                }

                // It set out before an invalidation, or is over: its passengers may have what it brings, nobody else.
                _flights.TryRemove(KeyValuePair.Create(key, known));
            }

            var own = new Flight<T>(generations.Capture(request.Tags), FlightLimit, time);
            if (_flights.TryAdd(key, own))
            {
                _ = Run(own, key, request, fetch, refreshed: null);
                return own.Wait(cancellation);
            }

            own.Dispose();
        }
    }

    private void Refresh<T>(
        FragmentKey key, FragmentRequest<T> request, Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch, FragmentEntry<T> entry)
    {
        if (time.GetTimestamp() < entry.RefreshNotBefore || _flights.ContainsKey(key))
        {
            return;
        }

        // The constructor's one passenger is the refresh itself, which stays aboard until it lands.
        var flight = new Flight<T>(generations.Capture(request.Tags), FlightLimit, time);
        if (_flights.TryAdd(key, flight))
        {
            _ = Task.Run(() => Run(flight, key, request, fetch, entry));
        }
        else
        {
            flight.Dispose();
        }
    }

    /// <summary>Steps 4 to 6. Never throws.</summary>
    /// <param name="flight">Lands in any case.</param>
    /// <param name="key">Under which the flight is known.</param>
    /// <param name="request">Of the caller that set it off.</param>
    /// <param name="fetch">Asks the upstream.</param>
    /// <param name="refreshed">The stale fragment that is being refreshed behind an answer; null when somebody waits.</param>
    private async Task Run<T>(
        Flight<T> flight, FragmentKey key, FragmentRequest<T> request, Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch, FragmentEntry<T>? refreshed)
    {
        FragmentEntry<T>? stale = null;
        try
        {
            if (TryGet(request, out var landed)) // Another flight brought it after the caller had looked, and had landed before this one was known.
            {
                flight.Land(landed);
                return;
            }

            var read = default(SharedRead);
            if (request.IsKept && shared is not null)
            {
                read = await shared.Read(key, request.Tags, flight.Token);
                if (Restore(flight, key, request, read, refreshed is not null, out stale) is { } found)
                {
                    flight.Land(found);
                    return;
                }
            }

            metrics.Add("miss", request.Scope);
            var since = time.GetTimestamp();
            var answer = await fetch(flight.Token);
            var isGood = answer is { IsOk: true, FromFallback: false }; // What stands in for the real thing is not kept in its place.
            var json = isGood && request.IsKept ? Keep(flight, key, request, answer.Value!, since, read) : default;
            if (!isGood && refreshed is not null)
            {
                refreshed.RefreshNotBefore = time.GetTimestamp() + (long)(RefreshPause.TotalSeconds * time.TimestampFrequency);
            }

            flight.Land(new Fragment<T>(answer, FragmentSource.Live, 0) { Json = json });
        }
        catch (OperationCanceledException) when (flight.Token.IsCancellationRequested)
        {
            flight.Land(new(UpstreamAnswer<T>.No(UpstreamOutcome.Timeout), FragmentSource.Live, 0)); // Its time is up, or nobody is left to see this.
        }
#pragma warning disable CA1031 // Whoever waits gets it; a refresh has only the log.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            if (refreshed is not null)
            {
                refreshed.RefreshNotBefore = time.GetTimestamp() + (long)(RefreshPause.TotalSeconds * time.TimestampFrequency);
                LogRefreshFailed(logger, failure, request.Key);
            }

            flight.Crash(failure);
        }
        finally
        {
            _flights.TryRemove(KeyValuePair.Create(key, (object)flight));
            flight.Dispose();
        }

        if (stale is not null)
        {
            Refresh(key, request, fetch, stale);
        }
    }

    /// <summary>Takes over what another instance kept. A refresh is content only with something fresh.</summary>
    private Fragment<T>? Restore<T>(
        Flight<T> flight, in FragmentKey key, in FragmentRequest<T> request, in SharedRead read, bool isRefresh, out FragmentEntry<T>? stale)
    {
        stale = null;
        if (read.Json is not { } json || read.Age >= (isRefresh ? request.Fresh : request.Fresh + request.Stale) || !generations.AreCurrent(flight.Stamp))
        {
            return null;
        }

        T? value;
        try
        {
            value = JsonSerializer.Deserialize(json.Span, request.Type);
        }
        catch (JsonException)
        {
            return null;
        }

        if (value is null)
        {
            return null;
        }

        var since = time.GetTimestamp() - (long)(read.Age.TotalSeconds * time.TimestampFrequency);
        var entry = new FragmentEntry<T>(value, json, since, flight.Stamp);
        memory.Keep(key, entry);
        var isFresh = read.Age < request.Fresh;
        stale = isFresh ? null : entry;
        metrics.Add(isFresh ? "shared" : "stale", request.Scope);
        return Serve(entry, isFresh ? FragmentSource.Cached : FragmentSource.Stale, read.Age);
    }

    private ReadOnlyMemory<byte> Keep<T>(Flight<T> flight, in FragmentKey key, in FragmentRequest<T> request, T value, long since, in SharedRead read)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(value, request.Type);
        if (generations.AreCurrent(flight.Stamp))
        {
            memory.Keep(key, new FragmentEntry<T>(value, json, since, flight.Stamp));
            if (shared is not null && read.Versions is { } versions)
            {
                _ = shared.Write(key, versions, json, time.GetElapsedTime(since), request.Fresh + request.Stale);
            }
        }

        return json;
    }

    [LoggerMessage(LogLevel.Error, "Refreshing the fragment {Key} failed unexpectedly")]
    private static partial void LogRefreshFailed(ILogger logger, Exception exception, string key);
}
