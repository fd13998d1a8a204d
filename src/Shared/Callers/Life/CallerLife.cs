using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Callers.Life;

/// <summary>
/// One answer, tied to the credential that asked for it: no stream, WebSocket or long body goes on when that has expired or was revoked.
/// Who can end an answer properly asks for <see cref="Ended"/>; every other is cut off, so that half a body is not taken for a whole one.
/// </summary>
public sealed class CallerLife : ICallerLife, IDisposable
{
    private readonly CallerLives _lives;
    private readonly IHttpResponseFeature? _response;
    private readonly IHttpRequestLifetimeFeature? _connection;
    private readonly bool _isRead;
    private readonly BffRequest _request;
    private readonly Lock _lock = new();
    private CancellationTokenSource? _ended;
    private bool _isLooking;
    private bool _looksAgain;
    private bool _isOver;
    private bool _isCut;
    private bool _isGone;
    private long? _seenWriting;
    private long _endsAt;
    private long _looksAt = long.MaxValue;

    internal CallerLife(CallerLives lives, HttpContext context, BffRequest request, Caller caller)
    {
        _lives = lives;
        _response = context.Features.Get<IHttpResponseFeature>(); // The server's own: another thread must not touch the context.
        _connection = context.Features.Get<IHttpRequestLifetimeFeature>();
        _isRead =
            HttpMethods.IsGet(context.Request.Method)
            || HttpMethods.IsHead(context.Request.Method)
            || HttpMethods.IsConnect(context.Request.Method)
            || context.GetEndpoint()?.Metadata.GetMetadata<GrpcRoute>() is not null;
        _request = request;
        Caller = caller;
        _endsAt = caller.ExpiresAt?.UtcTicks ?? long.MaxValue;
    }

    /// <summary>Cancelled when the caller's credential ends. The code that asks for it ends the answer itself.</summary>
    public CancellationToken Ended
    {
        get
        {
            lock (_lock)
            {
                _ended ??= new();
                if (_isOver)
                {
                    _ended.Cancel(); // Its token has not been handed out yet.
                }

                return _ended.Token;
            }
        }
    }

    /// <summary>Whose answer it is.</summary>
    internal Caller Caller { get; }

    /// <summary>What the kind of credential calls this one; null when only time and revocation end it.</summary>
    internal string? Name { get; init; }

    internal ICredentialLife? Kind { get; init; }

    /// <summary>The credential's end, as far as it is known, in UTC ticks.</summary>
    internal long EndsAt => Volatile.Read(ref _endsAt);

    /// <summary>When its store is to be asked again, in UTC ticks.</summary>
    internal long LooksAt => Volatile.Read(ref _looksAt);

    /// <summary>Its neighbours in the list of a <see cref="CallerLives"/>.</summary>
    internal CallerLife? Before { get; set; }

    internal CallerLife? After { get; set; }

    internal int Stripe { get; init; }

    /// <summary>The answer's own; <see cref="CancellationToken.None"/> for anonymous callers.</summary>
    public static CancellationToken EndOf(HttpContext context) => BffRequest.Of(context).Life?.Ended ?? CancellationToken.None;

    /// <summary>The answer is given. From here on nothing is done to its connection, which serves others.</summary>
    public void Dispose()
    {
        _lives.Remove(this);
        lock (_lock)
        {
            _isGone = true; // What waits for the token may still be told; it holds nothing that needs to be released.
        }
    }

    internal void Expect(CredentialState state, DateTimeOffset now)
    {
        Volatile.Write(ref _endsAt, state.EndsAt.UtcTicks);
        Volatile.Write(ref _looksAt, state.LookAt.UtcTicks);
        if (state.EndsAt <= now)
        {
            End();
        }
    }

    /// <summary>Nothing is known now; what was known of the end holds.</summary>
    internal void Expect(DateTimeOffset lookAt) => Volatile.Write(ref _looksAt, lookAt.UtcTicks);

    /// <summary>The credential is no good any more.</summary>
    internal void End()
    {
        lock (_lock)
        {
            _isOver = true;
            if (_isGone || _isCut)
            {
                return;
            }

            if (_ended is not null)
            {
                _isCut = true;
                _ = _ended.CancelAsync();
            }
            else if (HasBegun() ? IsStream(_response!) || IsStillWriting() : _isRead && _lives.IsLong(_request.StartTimestamp))
            {
                _isCut = true;
                _connection?.Abort();
            }

            // Else it is about to be answered, as every request is that was admitted in time; the next look finds it again if it goes on.
        }
    }

    /// <summary>A composition's lines end with its deadline, as a composition does that answers at once.</summary>
    private bool HasBegun() => _response is { HasStarted: true } && !_request.IsProgressive;

    private static bool IsStream(IHttpResponseFeature response) =>
        response.StatusCode == StatusCodes.Status101SwitchingProtocols
        || response.Headers.ContentType.ToString().StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);

    /// <summary>An ordinary body may just be on its way: it is long when it is still being written a look later.</summary>
    private bool IsStillWriting() => _lives.IsWritten(_seenWriting ??= _lives.Now);

    /// <summary>Whether the caller is to look; another who comes meanwhile makes him look once more.</summary>
    internal bool TryBeginLook()
    {
        lock (_lock)
        {
            _looksAgain = _isLooking;
            return !_isGone && !_isCut && !_looksAgain && (_isLooking = true);
        }
    }

    /// <summary>Whether it is to be looked at once more.</summary>
    internal bool EndLook()
    {
        lock (_lock)
        {
            var again = _looksAgain && !_isGone && !_isCut;
            (_looksAgain, _isLooking) = (false, again);
            return again;
        }
    }
}
