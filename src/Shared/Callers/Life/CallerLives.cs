using Bff.Callers.Revoked;
using Bff.Concurrency;
using Bff.Requests;
using Bff.State;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.Life;

/// <summary>
/// Watches the responses to known callers that are in progress. Four times a second it ends those whose credential 1. has expired, or 2.
/// was revoked. 3. It asks a credential's store when the store reports a change or when it is time to ask. Short responses end before the
/// first look.
/// </summary>
internal sealed partial class CallerLives : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    /// <summary>Longer than anything that a composition still does after its deadline.</summary>
    private static readonly TimeSpan AfterDeadline = TimeSpan.FromSeconds(2);

    /// <summary>A body that is still being written this long after the first look that found its credential ended counts as long.</summary>
    private static readonly TimeSpan Grace = Every;

    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);
    private const int AskedAtOnce = 32;

    private readonly Revocations _revocations;
    private readonly ICredentialLife[] _kinds;
    private readonly IRequestDeadline _deadline;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BackgroundLoop _loop;
    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, 16).Select(_ => new Stripe())];
    private int _changes;

    public CallerLives(
        Revocations revocations,
        IEnumerable<ICredentialLife> kinds,
        IRequestDeadline deadline,
        TimeProvider time,
        ILogger<CallerLives> logger
    )
    {
        (_revocations, _kinds, _deadline, _time, _logger, _loop) = (
            revocations,
            [.. kinds],
            deadline,
            time,
            logger,
            new("caller-lives", logger)
        );
        foreach (var kind in _kinds)
        {
            kind.OnChanged(name => OnChanged(kind, name));
        }
    }

    /// <summary>Number of changes to credentials so far. Read it before verifying a credential.</summary>
    public int Changes => Volatile.Read(ref _changes);

    /// <summary>Number of responses in progress.</summary>
    public int Count => _stripes.Sum(stripe => stripe.Count);

    /// <summary>Ties the request's response to its caller. Dispose the result when the response is complete.</summary>
    /// <param name="context">The request.</param>
    /// <param name="caller">The caller whose credential came with the request.</param>
    /// <param name="changes">The value of <see cref="Changes"/> from before the credential was verified.</param>
    public CallerLife Begin(HttpContext context, Caller caller, int changes)
    {
        var request = BffRequest.Of(context);
        var stripe = Environment.CurrentManagedThreadId & (_stripes.Length - 1);
        var kind = KindOf(caller);
        CallerLife life;
        if (kind is null)
        {
            life = new(this, context, request, caller) { Stripe = stripe };
        }
        else
        {
            var (name, state) = kind.Of(context, caller);
            life = new(this, context, request, caller)
            {
                Stripe = stripe,
                Kind = kind,
                Name = name,
            };
            life.Expect(state, DateTimeOffset.MinValue);
        }

        request.Life = life;
        _stripes[stripe].Add(life);
        if (kind is not null && changes != Changes)
        {
            _ = Look(life); // The credential may have ended after it was verified and before it was watched.
        }

        return life;
    }

    internal void Remove(CallerLife life) => _stripes[life.Stripe].Remove(life);

    internal long Now => _time.GetTimestamp();

    /// <summary>Whether a request has taken longer than any composition. If it has not begun to respond, it waits for an event.</summary>
    internal bool IsLong(long since) => _time.GetElapsedTime(since) >= _deadline.Current + AfterDeadline;

    /// <summary>Whether a short body that was being written at that time must be complete by now.</summary>
    internal bool IsWritten(long at) => _time.GetElapsedTime(at) >= Grace;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        _loop.Every(
            Every,
            _time,
            _ =>
            {
                Sweep();
                return Task.CompletedTask;
            },
            stoppingToken
        );

    private void Sweep()
    {
        var now = _time.GetUtcNow().UtcTicks;
        foreach (var life in Where(life => life.EndsAt <= now || life.LooksAt <= now || _revocations.IsRevoked(life.Caller)))
        {
            if (life.EndsAt <= now || _revocations.IsRevoked(life.Caller))
            {
                life.End();
            }
            else
            {
                _ = Look(life);
            }
        }
    }

    private void OnChanged(ICredentialLife kind, string? name)
    {
        Interlocked.Increment(ref _changes);
        var affected = Where(life => life.Kind == kind && (name is null || life.Name == name));
        if (affected.Count > 0)
        {
            _ = Parallel.ForEachAsync(
                affected,
                new ParallelOptions { MaxDegreeOfParallelism = AskedAtOnce },
                (life, _) => new ValueTask(Look(life))
            );
        }
    }

    private async Task Look(CallerLife life)
    {
        if (!life.TryBeginLook())
        {
            return;
        }

        do
        {
            try
            {
                life.Expect(await life.Kind!.Look(life.Caller, life.Name!, CancellationToken.None), _time.GetUtcNow());
            }
            catch (StoreException)
            {
                life.Expect(_time.GetUtcNow() + AskAgainAfter); // No stream ends because the store is unavailable. Its own end still holds.
            }
#pragma warning disable CA1031 // A response whose credential cannot be checked ends.
            catch (Exception unexpected)
#pragma warning restore CA1031
            {
                LogUnexpected(_logger, unexpected, life.Caller.Kind);
                life.Expect(CredentialState.Over, DateTimeOffset.MaxValue);
            }
        } while (life.EndLook());
    }

    private ICredentialLife? KindOf(Caller caller)
    {
        foreach (var kind in _kinds)
        {
            if (kind.Kind == caller.Kind)
            {
                return kind;
            }
        }

        return null;
    }

    private List<CallerLife> Where(Func<CallerLife, bool> holds)
    {
        var found = new List<CallerLife>();
        foreach (var stripe in _stripes)
        {
            stripe.Find(holds, found);
        }

        return found;
    }

    [LoggerMessage(
        1421,
        LogLevel.Error,
        "The {Kind} of an open stream could not be checked again because of an unexpected error; the stream ends",
        EventName = "CallerCheckFailed"
    )]
    private static partial void LogUnexpected(ILogger logger, Exception unexpected, CallerKind kind);

    /// <summary>A linked list whose members hold their neighbours. Adding and removing need no search and no allocation.</summary>
    private sealed class Stripe
    {
        private readonly Lock _lock = new();
        private CallerLife? _first;

        public int Count { get; private set; }

        public void Add(CallerLife life)
        {
            lock (_lock)
            {
                life.After = _first;
                if (_first is not null)
                {
                    _first.Before = life;
                }

                _first = life;
                Count++;
            }
        }

        public void Remove(CallerLife life)
        {
            lock (_lock)
            {
                if (life.Before is { } before)
                {
                    before.After = life.After;
                }
                else if (_first == life)
                {
                    _first = life.After;
                }
                else
                {
                    return; // It was removed before.
                }

                if (life.After is { } after)
                {
                    after.Before = life.Before;
                }

                (life.Before, life.After) = (null, null);
                Count--;
            }
        }

        public void Find(Func<CallerLife, bool> holds, List<CallerLife> found)
        {
            lock (_lock)
            {
                for (var life = _first; life is not null; life = life.After)
                {
                    if (holds(life))
                    {
                        found.Add(life);
                    }
                }
            }
        }
    }
}
