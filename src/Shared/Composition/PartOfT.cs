using Bff.Caching;
using Bff.Edge;
using Bff.Upstreams;
using Microsoft.Extensions.Logging;

namespace Bff.Composition;

/// <summary>A part with its policies, and after <see cref="Composer.Run"/> its value.</summary>
public sealed partial class Part<T> : Part where T : class
{
    private readonly Func<UpstreamCall<T>?>? _later;
    private UpstreamCall<T>? _call;
    private TimeSpan _timeout = TimeSpan.FromSeconds(1);
    private List<Part>? _after;
    private Func<bool>? _when;
    private bool _isWanted = true;
    private string? _cursor;
    private Func<T?>? _standIn;
    private Func<UpstreamAnswer<T>, Problem?>? _refused;
    private FragmentRequest<T>? _cache;
    private KeyValuePair<string, string>[] _clientHeaders = [];
    private Part? _missing;
    private Task? _running;

    internal Part(Composer composer, string name, bool isRequired, UpstreamCall<T> call) : base(composer, name, isRequired) => _call = call;

    internal Part(Composer composer, string name, bool isRequired, IReadOnlyCollection<Part> after, Func<UpstreamCall<T>?> later) : base(composer, name, isRequired)
    {
        _after = [.. after];
        _later = later;
    }

    /// <summary>The data; null when there is none, for whatever reason.</summary>
    public T? Value { get; private set; }

    /// <summary>How its service answered.</summary>
    public UpstreamAnswer<T> Answer { get; private set; }

    /// <inheritdoc />
    public override bool HasValue => Value is not null;

    /// <summary>How long it may take, at most what is left of the request's deadline. Default 1 s; <c>Composition:&lt;endpoint&gt;:&lt;part&gt;:Timeout</c> overrides.</summary>
    public Part<T> Timeout(int milliseconds)
    {
        _timeout = TimeSpan.FromMilliseconds(milliseconds);
        return this;
    }

    /// <summary>Keeps the value and serves it again, to whom <paramref name="scope"/> says.</summary>
    /// <param name="scope">Who may see it.</param>
    /// <param name="key">Names the value within its scope, such as <c>pricing:p-1</c>; also its tag for invalidation, beside <paramref name="tags"/>.</param>
    /// <param name="freshSeconds">Served without asking; <c>Composition:…:Fresh</c> overrides.</param>
    /// <param name="staleSeconds">How long after that it stands in for a failure (RFC 5861); <c>Composition:…:Stale</c> overrides.</param>
    /// <param name="tags">What else it depends on.</param>
    public Part<T> Cached(CacheScope scope, string key, int freshSeconds, int staleSeconds, params IReadOnlyList<string> tags)
    {
        scope = Composer.ScopeFor(scope);
        _clientHeaders = Composer.ClientHeadersFor(scope);
        _cache = new FragmentRequest<T>(
            key, scope, Composer.Request.Caller, TimeSpan.FromSeconds(freshSeconds), TimeSpan.FromSeconds(staleSeconds),
            tags.Count == 0 ? [key] : [key, .. tags], _call?.Type!) // A call that depends on another part's value says it later.
        {
            Variant = Composer.VariantFor(_clientHeaders),
        };
        return this;
    }

    /// <summary>Runs after another part has a value, and only then; said again, after that one too.</summary>
    /// <param name="part">What it depends on. Where that failed this part fails as well; where there was nothing to be had, or it was not wanted, this part is not wanted.</param>
    /// <param name="when">Decides, with that value at hand, whether the part is wanted; said again, both must say so.</param>
    public Part<T> After(Part part, Func<bool>? when = null)
    {
        (_after ??= []).Add(part);
        var before = _when;
        _when = before is null || when is null ? before ?? when : () => before() && when();
        return this;
    }

    /// <summary>Leaves the part out unless the condition holds, whatever else is said of it: <c>skipped</c>.</summary>
    public Part<T> OnlyIf(bool wanted)
    {
        _isWanted &= wanted;
        return this;
    }

    /// <summary>A page that begins at a cursor: where the service does not take it any more, the client is told so (400 <c>invalid_cursor</c>) and can begin anew.</summary>
    /// <param name="cursor">The service's; null at the beginning of the list.</param>
    public Part<T> At(string? cursor)
    {
        _cursor = cursor;
        return this;
    }

    /// <summary>For a required part: failures that mean something of their own to the client, such as a token that is too old; null for the others.</summary>
    public Part<T> Refused(Func<UpstreamAnswer<T>, Problem?> problem)
    {
        _refused = problem;
        return this;
    }

    /// <summary>Stands in when the part has no data: <c>fallback</c>.</summary>
    public Part<T> Fallback(Func<T?> standIn)
    {
        _standIn = standIn;
        return this;
    }

    internal override Task Start() => _running ??= Run();

    internal override Problem Reason() => _missing?.Reason() ?? Answer.ToProblem(Name);

    private async Task Run()
    {
        if (!_isWanted || (_after is not null && !await HasWhatItNeeds(_after)))
        {
            return;
        }

        if (!IsStillWanted() || (_call ??= Later()) is not { } call)
        {
            return;
        }

        using var activity = Composer.StartActivity(Name);
        var started = Composer.Time.GetTimestamp();
        var policy = Composer.PolicyOf(Name);
        var timeout = policy?.Timeout ?? _timeout;
        var kept = policy is { Enabled: false } ? null : Kept(call, policy);
        try
        {
            if (policy is { Enabled: false })
            {
                IsSwitchedOff = true;
                Answer = UpstreamAnswer<T>.No(UpstreamOutcome.Unavailable);
                _standIn = null; // Who switches a part off wants it left out, not replaced.
            }
            else if (kept is not { } request)
            {
                Answer = await call.Make(Composer.Call(started, timeout));
                Status = PartStatus.Live;
            }
            else if (Composer.Cache.TryGet(request, out var fresh))
            {
                Take(fresh); // A fresh fragment needs neither a detached request nor a closure.
            }
            else
            {
                await AskThroughCache(call, request, timeout);
            }
        }
        catch (Exception late) when (late is OperationCanceledException or TimeoutException)
        {
            Answer = UpstreamAnswer<T>.No(UpstreamOutcome.Timeout);
        }
#pragma warning disable CA1031 // Whatever an upstream's document does to a projection, the part fails, not the request.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(Composer.Logger, unexpected, Composer.Endpoint, Name);
            Answer = UpstreamAnswer<T>.No(UpstreamOutcome.Failed);
        }

        if (Answer.IsFailure && kept is { } asked && Composer.Cache.TryStandIn(asked, out var stale))
        {
            Take(stale); // Its time was up before the cache had heard of the failure.
        }

        Settle();
        Latency = Composer.Time.GetElapsedTime(started);
        activity?.SetTag("bff.part.status", Telemetry.StatusOf(this));
        if (IsRequired && Value is null)
        {
            Composer.Fail(_refused?.Invoke(Answer) ?? StaleCursor() ?? Answer.ToProblem(Name));
        }
    }

    /// <summary>Waits for the parts that this one depends on. Where one of them failed, it fails in the same way; the service is not asked.</summary>
    private async Task<bool> HasWhatItNeeds(List<Part> needed)
    {
        foreach (var part in needed)
        {
            await part.Start();
        }

        // One that is not wanted, or has nothing, leaves this one unwanted, whatever became of the others.
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
            Status = missing.Status;
            StandIn();
        }

        if (IsRequired && Value is null)
        {
            Composer.Fail(Reason());
        }

        return false;
    }

    /// <summary>Whether the part is wanted, now that what it depends on is there.</summary>
    private bool IsStillWanted()
    {
        try
        {
            return _when?.Invoke() != false;
        }
#pragma warning disable CA1031 // Whatever is in the other part's document, this part fails, not the request.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(Composer.Logger, unexpected, Composer.Endpoint, Name);
            _cache = null;
            _call = Failing();
            return true;
        }
    }

    private Problem? StaleCursor() => _cursor is not null && Answer.Status is 400 or 410 or 422
        ? new Problem(ProblemCodes.InvalidCursor)
        : null;

    private HandMadeCall<T> Failing() => new(static _ => new(UpstreamAnswer<T>.No(UpstreamOutcome.Failed)), null!, Composer.Time);

    /// <summary>The call of a part that depends on another's value; null where it is not wanted.</summary>
    private UpstreamCall<T>? Later()
    {
        try
        {
            return _later!();
        }
#pragma warning disable CA1031 // Whatever is in the other part's document, this part fails, not the request.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(Composer.Logger, unexpected, Composer.Endpoint, Name);
            _cache = null;
            return Failing();
        }
    }

    /// <summary>
    /// What the cache is asked for; null for a part that is never kept, or that is the caller's own and kept for no time: what the cache would add to it, one call for
    /// identical reads in flight, the client does by itself.
    /// </summary>
    private FragmentRequest<T>? Kept(UpstreamCall<T> call, PartPolicy? policy)
    {
        if (_cache is not { } cache)
        {
            return null;
        }

        if (_later is not null)
        {
            cache = cache with { Type = call.Type };
        }

        var request = policy is null
            ? cache
            : cache with { Fresh = policy.Fresh ?? cache.Fresh, Stale = policy.Stale ?? cache.Stale, Revalidate = policy.Revalidate ?? cache.Revalidate };
        return request.Scope != CacheScope.Caller || request.IsKept ? request : null;
    }

    private async ValueTask AskThroughCache(UpstreamCall<T> call, FragmentRequest<T> request, TimeSpan timeout)
    {
        var composer = Composer;
        var detached = request.Scope == CacheScope.Caller ? composer.Request.Detach() : composer.Request.DetachShared(_clientHeaders); // A flight may outlive this request.
        var pending = composer.Cache.Get(request, flight => call.Make(composer.Call(detached, timeout, flight)), composer.Cancellation);
        var fragment = pending.IsCompletedSuccessfully
            ? pending.Result
            : await pending.AsTask().WaitAsync(composer.Bounded(timeout), composer.Time, composer.Cancellation);
        Take(fragment);
    }

    private void Take(in Fragment<T> fragment)
    {
        Answer = fragment.Answer;
        AgeSeconds = fragment.AgeSeconds;
        Status = fragment.Source switch
        {
            FragmentSource.Cached => PartStatus.Cached,
            FragmentSource.Stale => PartStatus.Stale,
            _ => PartStatus.Live,
        };
    }

    private void Settle()
    {
        Value = Answer.Value;
        if (Answer.IsOk)
        {
            Status = Answer.FromFallback ? PartStatus.Fallback : Status;
            return;
        }

        // 404 of an optional part: its service answered that nothing is there.
        Status = Answer.Outcome switch
        {
            _ when Answer.IsGone => PartStatus.Live,
            UpstreamOutcome.Timeout => PartStatus.Timeout,
            UpstreamOutcome.Unavailable => PartStatus.Unavailable,
            _ => PartStatus.Failed,
        };
        if (Status != PartStatus.Live)
        {
            StandIn();
        }
    }

    private void StandIn()
    {
        if (_standIn is null || Composer.HasFailed)
        {
            return; // Nobody will see it, and what it is made of may not be there.
        }

        try
        {
            if (_standIn() is { } value)
            {
                Value = value;
                Status = PartStatus.Fallback;
            }
        }
#pragma warning disable CA1031 // Whatever the stand-in is made of, there is none.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(Composer.Logger, unexpected, Composer.Endpoint, Name);
        }
    }

    [LoggerMessage(LogLevel.Error, "Part {Part} of {Endpoint} failed unexpectedly")]
    private static partial void LogUnexpected(ILogger logger, Exception exception, string endpoint, string part);
}
