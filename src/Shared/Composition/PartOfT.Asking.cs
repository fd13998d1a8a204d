using System.Runtime.CompilerServices;
using Bff.Caching;
using Bff.Requests;
using Bff.Upstreams;

namespace Bff.Composition;

/// <summary>Requests the part: its dependencies first, then the cache or the service, then an alternative service.</summary>
public abstract partial class Part<T>
{
    private protected string? _cursor;
    private protected Func<T?>? _standIn;
    private protected Func<UpstreamCall<T>?>? _otherwise;
    private protected StrongBox<FragmentRequest<T>>? _cache; // Boxed, so that parts without caching do not carry the large struct.
    private protected KeyValuePair<string, string>[] _clientHeaders = [];

    /// <summary>
    /// JSON metadata of the value; null if the call depends on another part's value, so that the metadata is known later.
    /// </summary>
    private protected System.Text.Json.Serialization.Metadata.JsonTypeInfo<T>? TypeNow => _call?.Type;

    /// <summary>
    /// Waits for the parts that this one depends on. If one of them failed, this part fails in the same way without calling the service.
    /// </summary>
    private async Task<bool> HasWhatItNeeds(List<Part> needed)
    {
        foreach (var part in needed)
        {
            await part.Start();
        }

        // A dependency that is skipped or has no data makes this part unwanted, regardless of the others.
        if (needed.Exists(part => !part.HasValue && part.Status == PartStatus.Skipped))
        {
            return false;
        }

        if (needed.Find(part => !part.HasValue) is not { } missing)
        {
            return true;
        }

        _missing = missing;
        if (missing.Status != PartStatus.Live)
        {
            Became = missing.Status;
            StandIn();
        }

        if (IsRequired && _value is null)
        {
            Composer.Fail(Reason());
        }

        return false;
    }

    /// <summary>Whether the part is still wanted, now that its dependencies have values.</summary>
    private bool IsStillWanted()
    {
        try
        {
            return _when?.Invoke() != false;
        }
#pragma warning disable CA1031 // A bad document of the other part fails this part, not the request.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(Composer.Logger, unexpected, Composer.Endpoint, Name);
            _cache = null;
            _call = Failing();
            return true;
        }
    }

    private Problem? StaleCursor() =>
        _cursor is not null && Answer.Status is 400 or 410 or 422 ? new Problem(ProblemCodes.InvalidCursor) : null;

    private HandMadeCall<T> Failing() => new(static _ => new(UpstreamAnswer<T>.No(UpstreamOutcome.Failed)), null!, Composer.Time);

    /// <summary>Builds the call of a part that depends on another part's value; null if the part is not wanted.</summary>
    private UpstreamCall<T>? Later()
    {
        try
        {
            return _later!();
        }
#pragma warning disable CA1031 // A bad document of the other part fails this part, not the request.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(Composer.Logger, unexpected, Composer.Endpoint, Name);
            _cache = null;
            return Failing();
        }
    }

    /// <summary>
    /// Returns the cache request; null for a part that is not cached, or that belongs to the caller and has no cache time. For the latter
    /// the cache would only add single-flight, which the client does already.
    /// </summary>
    private StrongBox<FragmentRequest<T>>? Kept(UpstreamCall<T> call, PartPolicy? policy)
    {
        if (_cache is not { } cache)
        {
            return null;
        }

        ref var request = ref cache.Value;
        if (_later is not null)
        {
            request = request with { Type = call.Type };
        }

        if (policy is not null)
        {
            request = request with
            {
                Fresh = policy.Fresh ?? request.Fresh,
                Stale = policy.Stale ?? request.Stale,
                Revalidate = policy.Revalidate ?? request.Revalidate,
            };
        }

        return request.Scope != CacheScope.Caller || request.IsKept ? cache : null;
    }

    private async ValueTask AskThroughCache(UpstreamCall<T> call, FragmentRequest<T> request, TimeSpan timeout)
    {
        var composer = Composer;
        // The read may outlive this request, so it needs a detached one.
        var detached = request.Scope == CacheScope.Caller ? composer.Request.Detach() : composer.Request.DetachShared(_clientHeaders);
        var pending = composer.Cache.Get(request, read => call.Make(composer.Call(detached, timeout, read)), composer.Cancellation);
        var fragment = pending.IsCompletedSuccessfully
            ? pending.Result
            : await pending.AsTask().WaitAsync(composer.Bounded(timeout), composer.Time, composer.Cancellation);
        Take(fragment);
    }

    private void Take(in Fragment<T> fragment)
    {
        Answer = fragment.Answer;
        AgeSeconds = fragment.AgeSeconds;
        Became = fragment.Source switch
        {
            FragmentSource.Cached => PartStatus.Cached,
            FragmentSource.Stale => PartStatus.Stale,
            _ => PartStatus.Live,
        };
    }

    /// <summary>Time limit of the first call; half of what is left if an alternative call may follow.</summary>
    private protected TimeSpan FirstOf(TimeSpan timeout) => _otherwise is null ? timeout : Composer.Bounded(timeout) / 2;

    private async ValueTask AskTheOther(Func<UpstreamCall<T>?> otherwise, long started, TimeSpan timeout)
    {
        try
        {
            if (otherwise() is { } call && await call.Make(Composer.Call(started, timeout)) is { IsOk: true } other)
            {
                Answer = other with { FromFallback = true };
            }
        }
        catch (Exception late) when (late is OperationCanceledException or TimeoutException)
        {
            // The result of the first call stands.
        }
#pragma warning disable CA1031 // A projection that throws fails the part, not the request.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(Composer.Logger, unexpected, Composer.Endpoint, Name);
        }
    }
}
