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
    private Part? _after;
    private Func<bool>? _when;
    private Func<T?>? _standIn;
    private Func<UpstreamAnswer<T>, Problem?>? _refused;
    private FragmentRequest<T>? _cache;
    private KeyValuePair<string, string>[] _clientHeaders = [];
    private Task? _running;

    internal Part(Composer composer, string name, bool isRequired, UpstreamCall<T> call) : base(composer, name, isRequired) => _call = call;

    internal Part(Composer composer, string name, bool isRequired, Part after, Func<UpstreamCall<T>?> later) : base(composer, name, isRequired) =>
        (_after, _later) = (after, later);

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
            Variant = ClientHeaders.Variant(_clientHeaders),
        };
        return this;
    }

    /// <summary>Runs after another part has a value, and only then.</summary>
    /// <param name="part">What it depends on.</param>
    /// <param name="when">Decides, with that value at hand, whether the part is wanted.</param>
    public Part<T> After(Part part, Func<bool>? when = null)
    {
        _after = part;
        _when = when;
        return this;
    }

    /// <summary>Leaves the part out unless the condition holds: <c>skipped</c>.</summary>
    public Part<T> OnlyIf(bool wanted)
    {
        _when = wanted ? null : static () => false;
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

    private async Task Run()
    {
        if (_after is { } dependency)
        {
            await dependency.Start();
            if (!dependency.HasValue)
            {
                return;
            }
        }

        if (_when?.Invoke() == false || (_call ??= Later()) is not { } call)
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
            Composer.Fail(_refused?.Invoke(Answer) ?? Answer.ToProblem(Name));
        }
    }

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
            return new HandMadeCall<T>(static _ => new(UpstreamAnswer<T>.No(UpstreamOutcome.Failed)), null!, Composer.Time);
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
            UpstreamOutcome.NotFound => PartStatus.Live,
            UpstreamOutcome.Timeout => PartStatus.Timeout,
            UpstreamOutcome.Unavailable => PartStatus.Unavailable,
            _ => PartStatus.Failed,
        };
        if (Status != PartStatus.Live && _standIn?.Invoke() is { } value)
        {
            Value = value;
            Status = PartStatus.Fallback;
        }
    }

    [LoggerMessage(LogLevel.Error, "Part {Part} of {Endpoint} failed unexpectedly")]
    private static partial void LogUnexpected(ILogger logger, Exception exception, string endpoint, string part);
}
