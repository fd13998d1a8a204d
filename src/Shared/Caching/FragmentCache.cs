using System.Text.Json;
using Bff.Concurrency;
using Bff.Upstreams;
using Microsoft.Extensions.Logging;

namespace Bff.Caching;

/// <summary>
/// A read goes this way:
/// 1. a fresh fragment in this process; 2. one within <c>Revalidate</c>, while one read renews it behind the answer; 3. else it joins the
/// read of the same key, or starts one: 4. the read looks into Redis, 5. asks the upstream, 6. keeps a good answer here and in Redis,
/// unless its tags were invalidated since it set out; 7. where the upstream failed, a fragment within <c>Stale</c> stands in. Failures are
/// never kept; a service's word that there is nothing (404, 403, 410) drops what was kept.
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
    /// A fresh fragment in this process, about a microsecond away and without allocating; asking first spares the closure that
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

    /// <summary>
    /// A fragment of this process that may stand in for a failure of which the cache could not know, such as that the caller's time was up.
    /// </summary>
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

    /// <summary>The whole way; never throws for a failure of the upstream.</summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="fetch">
    /// Asks the upstream; runs at most once at a time per key. Its token is not the caller's own: it ends when no request waits any more,
    /// or after 30 s. It may outlive the request that brought it, so it must not touch the <c>HttpContext</c>.
    /// </param>
    /// <param name="cancellation">Ends this caller's waiting.</param>
    /// <exception cref="OperationCanceledException">This caller's waiting ended.</exception>
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
        // One that set out before an invalidation, or before its caller had written, is not joined: those who wait for it may have what it
        // brings, no other request.
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
    /// Whether what the read brings is good for those who ask now: since it set out nothing was invalidated, nor did the caller whose own
    /// it is write.
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

        // Its first waiter is the refresh itself, which never leaves it.
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
    /// <param name="read">Is completed in any case.</param>
    /// <param name="key">Under which the read is known.</param>
    /// <param name="request">Of the caller that set it off.</param>
    /// <param name="fetch">Asks the upstream.</param>
    /// <param name="refreshed">The fragment that is being renewed behind an answer; null when a request waits.</param>
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
            // Another read brought it after the caller had looked, and was over before this one was known.
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
            var isGood = answer is { IsOk: true, FromFallback: false }; // What stands in for the real thing is not kept in its place.
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
            read.Complete(TryStandIn(request, out var standIn) ? standIn : late); // Its time is up, or no request waits for it any more.
        }
#pragma warning disable CA1031 // A request that waits gets it; a refresh has only the log.
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
    /// Takes over what another instance kept, and serves it where it is fresh or, unless this is a refresh already, within
    /// <c>Revalidate</c>. What is only good enough to stand in is kept here for that.
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

    /// <summary>What its service says is gone stands in for nothing any more, here or elsewhere.</summary>
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
