using System.Text.Json;
using Bff.Concurrency;
using Bff.Upstreams;
using Microsoft.Extensions.Logging;

namespace Bff.Caching;

/// <summary>
/// Caches fragments. A read takes these steps: 1. Return a fresh fragment of this process. 2. Return a fragment within <c>Revalidate</c>,
/// and renew it with one read in the background. 3. Otherwise join the read of the same key, or start one. 4. That read looks in Redis, 5.
/// asks the upstream, and 6. keeps a good answer here and in Redis, unless its tags were invalidated since the read started. 7. When the
/// upstream failed, a fragment within <c>Stale</c> is returned instead. Failures are never kept. When a service says that there is nothing
/// (404, 403, 410), the kept fragment is dropped.
/// </summary>
internal sealed partial class FragmentCache(
    FragmentMemory memory,
    TagGenerations generations,
    ReadGenerations reads,
    RedisFragments? shared,
    CacheMetrics metrics,
    TimeProvider time,
    ILogger<FragmentCache> logger
)
{
    private static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RefreshPause = TimeSpan.FromSeconds(1);
    private readonly SingleFlight<FragmentKey> _reads = new(FragmentKeyComparer.Instance);

    /// <summary>
    /// Gets a fresh fragment of this process, in about a microsecond and without allocating. Calling this first avoids the closure that
    /// <see cref="Get"/> needs.
    /// </summary>
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

    /// <summary>Gets a fragment of this process as a fallback for a failure outside the cache, such as the caller's timeout.</summary>
    public bool TryStandIn<T>(in FragmentRequest<T> request, out Fragment<T> fragment)
    {
        if (request.Stale > TimeSpan.Zero && FragmentKey.TryMake(request, out var key) && Find<T>(key) is { } entry)
        {
            var age = time.GetElapsedTime(entry.Since);
            if (age < request.Fresh + request.Stale)
            {
                metrics.Add("stale", request.Scope);
                fragment = Serve(entry, FragmentSource.Stale, age);
                return true;
            }
        }

        fragment = default;
        return false;
    }

    /// <summary>Takes all steps. Never throws because of an upstream failure.</summary>
    /// <param name="request">The fragment that is wanted.</param>
    /// <param name="fetch">
    /// Asks the upstream. Runs at most once at a time per key. Its token is not the caller's own: it is cancelled when no request waits any
    /// more, or after 30 s. It may outlive the request that passed it, so it must not touch the <c>HttpContext</c>.
    /// </param>
    /// <param name="cancellation">Ends this caller's wait.</param>
    /// <exception cref="OperationCanceledException">This caller's wait was cancelled.</exception>
    public ValueTask<Fragment<T>> Get<T>(
        FragmentRequest<T> request,
        Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch,
        CancellationToken cancellation
    )
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

        if (
            request.Revalidate > TimeSpan.Zero
            && Find<T>(key) is { } entry
            && time.GetElapsedTime(entry.Since) is var age
            && age < request.Fresh + request.Revalidate
        )
        {
            metrics.Add("renewing", request.Scope);
            Refresh(key, request, fetch, entry);
            return new(Serve(entry, FragmentSource.Cached, age));
        }

        return Join(key, request, fetch, cancellation);
    }

    private FragmentEntry<T>? Find<T>(in FragmentKey key) =>
        memory.Find<T>(key) is { } entry && generations.AreCurrent(entry.Stamp) ? entry : null;

    private static Fragment<T> Serve<T>(FragmentEntry<T> entry, FragmentSource source, TimeSpan age) =>
        new(
            UpstreamAnswer<T>.Ok(entry.Value) with
            {
                ETag = entry.Validators.ETag,
                LastModified = entry.Validators.LastModified,
            },
            source,
            (int)age.TotalSeconds
        )
        {
            Json = entry.Json,
        };

    private static async ValueTask<Fragment<T>> Alone<T>(
        Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch,
        CancellationToken cancellation
    ) => new(await fetch(cancellation), FragmentSource.Live, 0);

    private ValueTask<Fragment<T>> Join<T>(
        FragmentKey key,
        FragmentRequest<T> request,
        Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch,
        CancellationToken cancellation
    )
    {
        cancellation.ThrowIfCancellationRequested();
        // A read that started before an invalidation, or before this caller's write, is not joined. Only requests that already wait for it
        // may use its result.
        if (
            _reads.Join(
                key,
                (Self: this, Key: key, Request: request),
                static to => to.Self.NewRead(to.Request),
                static (to, read) => to.Self.IsCurrent(read, to.Key),
                out var read
            )
        )
        {
            _ = Run(read, key, request, fetch, refreshed: null);
        }
        else
        {
            metrics.Add("joined", request.Scope);
        }

        return read.Wait(cancellation);
    }

    private FragmentRead<T> NewRead<T>(in FragmentRequest<T> request) =>
        new(generations.Capture(request.Tags), reads.Capture(request.Caller), LongestRead, time);

    /// <summary>
    /// Whether the read's result is valid for new requests: since it started nothing was invalidated and, for a fragment in the caller's
    /// scope, the caller wrote nothing.
    /// </summary>
    private bool IsCurrent<T>(FragmentRead<T> read, in FragmentKey key) =>
        generations.AreCurrent(read.Stamp) && (key.Scope != CacheScope.Caller || reads.SeesWrites(read.Reads));

    private void Refresh<T>(
        FragmentKey key,
        FragmentRequest<T> request,
        Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch,
        FragmentEntry<T> entry
    )
    {
        if (time.GetTimestamp() < entry.RefreshNotBefore || _reads.IsRunning(key))
        {
            return;
        }

        // The refresh itself is the first waiter, and never stops waiting.
        var read = NewRead(request);
        if (_reads.TryBegin(key, read))
        {
            _ = Task.Run(() => Run(read, key, request, fetch, entry));
        }
        else
        {
            read.Dispose();
        }
    }

    /// <summary>Steps 4 to 7. Never throws.</summary>
    /// <param name="read">The read, which is completed in any case.</param>
    /// <param name="key">The key of the read.</param>
    /// <param name="request">The request of the caller that started the read.</param>
    /// <param name="fetch">Asks the upstream.</param>
    /// <param name="refreshed">The fragment that is being renewed in the background; null when a request waits.</param>
    private async Task Run<T>(
        FragmentRead<T> read,
        FragmentKey key,
        FragmentRequest<T> request,
        Func<CancellationToken, ValueTask<UpstreamAnswer<T>>> fetch,
        FragmentEntry<T>? refreshed
    )
    {
        FragmentEntry<T>? aging = null;
        try
        {
            // Another read kept it after the caller had looked, and ended before this one was registered.
            if (TryGet(request, out var known))
            {
                read.Complete(known);
                return;
            }

            var elsewhere = default(SharedRead);
            if (request.IsKept && shared is not null)
            {
                elsewhere = await shared.Read(key, request.Tags, read.Token);
                if (Restore(read, key, request, elsewhere, refreshed is not null, out aging) is { } found)
                {
                    read.Complete(found);
                    return;
                }
            }

            metrics.Add("miss", request.Scope);
            var since = time.GetTimestamp();
            var answer = await fetch(read.Token);
            var isGood = answer is { IsOk: true, FromFallback: false }; // A fallback is not kept in place of the real value.
            var json = isGood && request.IsKept ? Keep(read, key, request, answer, since, elsewhere) : default;
            if (answer.IsGone && request.IsKept)
            {
                Drop(read, key);
            }

            if (!isGood && refreshed is not null)
            {
                refreshed.RefreshNotBefore = time.TimestampIn(RefreshPause);
            }

            read.Complete(
                answer.IsFailure && TryStandIn(request, out var standIn)
                    ? standIn
                    : new Fragment<T>(answer, FragmentSource.Live, 0) { Json = json }
            );
        }
        catch (OperationCanceledException) when (read.Token.IsCancellationRequested)
        {
            var late = new Fragment<T>(UpstreamAnswer<T>.No(UpstreamOutcome.Timeout), FragmentSource.Live, 0);
            read.Complete(TryStandIn(request, out var standIn) ? standIn : late); // Its time is up, or no request waits.
        }
#pragma warning disable CA1031 // A waiting request gets the exception. A refresh can only log it.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            if (refreshed is not null)
            {
                refreshed.RefreshNotBefore = time.TimestampIn(RefreshPause);
                LogRefreshFailed(logger, failure, request.Key);
            }

            read.Fail(failure);
        }
        finally
        {
            _reads.End(key, read);
        }

        if (aging is not null)
        {
            Refresh(key, request, fetch, aging);
        }
    }

    /// <summary>
    /// Takes over a fragment that another instance kept. Returns it when it is fresh or, unless this is already a refresh, within
    /// <c>Revalidate</c>. A fragment that is only usable as a fallback is kept here for that.
    /// </summary>
    private Fragment<T>? Restore<T>(
        FragmentRead<T> read,
        in FragmentKey key,
        in FragmentRequest<T> request,
        in SharedRead elsewhere,
        bool isRefresh,
        out FragmentEntry<T>? aging
    )
    {
        aging = null;
        var isServed = elsewhere.Age < (isRefresh ? request.Fresh : request.Fresh + request.Revalidate);
        if (elsewhere.Json is not { } json || elsewhere.Age >= request.Life || !generations.AreCurrent(read.Stamp))
        {
            return null;
        }

        var since = time.TimestampIn(-elsewhere.Age);
        if (!isServed && Find<T>(key) is { } kept && kept.Since >= since)
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

        var entry = new FragmentEntry<T>(value, json, since, read.Stamp, elsewhere.Validators);
        memory.Keep(key, entry);
        if (!isServed)
        {
            return null;
        }

        aging = elsewhere.Age < request.Fresh ? null : entry;
        metrics.Add("shared", request.Scope);
        return Serve(entry, FragmentSource.Cached, elsewhere.Age);
    }

    /// <summary>Drops a fragment that its service says is gone, here and in Redis, so that it is no longer a fallback.</summary>
    private void Drop<T>(FragmentRead<T> read, in FragmentKey key)
    {
        if (IsCurrent(read, key))
        {
            memory.Remove(key);
            _ = shared?.Remove(key);
        }
    }

    private ReadOnlyMemory<byte> Keep<T>(
        FragmentRead<T> read,
        in FragmentKey key,
        in FragmentRequest<T> request,
        in UpstreamAnswer<T> answer,
        long since,
        in SharedRead elsewhere
    )
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(answer.Value!, request.Type);
        if (IsCurrent(read, key))
        {
            var validators = new KeptValidators(answer.ETag, answer.LastModified);
            memory.Keep(key, new FragmentEntry<T>(answer.Value!, json, since, read.Stamp, validators));
            if (shared is not null && elsewhere.Versions is { } versions)
            {
                _ = shared.Write(key, versions, json, validators, time.GetElapsedTime(since), request.Life);
            }
        }

        return json;
    }

    [LoggerMessage(
        1801,
        LogLevel.Error,
        "The fragment {Key} could not be refreshed because of an unexpected error; the next request tries again",
        EventName = "FragmentRefreshFailed"
    )]
    private static partial void LogRefreshFailed(ILogger logger, Exception exception, string key);
}
