using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Callers.Life;

/// <summary>
/// Ties one response to its caller's credential, so that no stream, WebSocket or long body continues after the credential expired or was
/// revoked. Code that can end a response properly uses <see cref="Ended"/>. Every other response is aborted, so that a partial body is not
/// taken for a whole one.
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

    /// <summary>Cancelled when the caller's credential ends. Code that uses this token must end the response itself.</summary>
    public CancellationToken Ended
    {
        get
        {
            lock (_lock)
            {
                _ended ??= new();
                if (_isOver)
                {
                    _ended.Cancel(); // The token has not been handed out yet.
                }

                return _ended.Token;
            }
        }
    }

    /// <summary>The caller who gets the response.</summary>
    internal Caller Caller { get; }

    /// <summary>The name that the kind of credential gives this one; null when only time and revocation end it.</summary>
    internal string? Name { get; init; }

    internal ICredentialLife? Kind { get; init; }

    /// <summary>The known end of the credential, in UTC ticks.</summary>
    internal long EndsAt => Volatile.Read(ref _endsAt);

    /// <summary>When the credential's store is asked again, in UTC ticks.</summary>
    internal long LooksAt => Volatile.Read(ref _looksAt);

    /// <summary>The previous response in the list of <see cref="CallerLives"/>.</summary>
    internal CallerLife? Before { get; set; }

    internal CallerLife? After { get; set; }

    internal int Stripe { get; init; }

    /// <summary>Returns the token of the request's response; <see cref="CancellationToken.None"/> for anonymous callers.</summary>
    public static CancellationToken EndOf(HttpContext context) => BffRequest.Of(context).Life?.Ended ?? CancellationToken.None;

    /// <summary>Ends the tie when the response is complete. The connection is left alone from here on; it serves other requests.</summary>
    public void Dispose()
    {
        _lives.Remove(this);
        lock (_lock)
        {
            _isGone = true; // The token may still be cancelled for code that waits on it. It holds nothing that must be released.
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

    /// <summary>Sets the time of the next look when nothing new is known. The known end stays.</summary>
    internal void Expect(DateTimeOffset lookAt) => Volatile.Write(ref _looksAt, lookAt.UtcTicks);

    /// <summary>Ends the response, because the credential is no longer valid.</summary>
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

            // The response is about to begin, like that of any request admitted in time. If it lasts, the next look finds it again.
        }
    }

    /// <summary>Whether the response has begun. A progressive composition does not count, because it ends with its deadline.</summary>
    private bool HasBegun() => _response is { HasStarted: true } && !_request.IsProgressive;

    private static bool IsStream(IHttpResponseFeature response) =>
        response.StatusCode == StatusCodes.Status101SwitchingProtocols
        || response.Headers.ContentType.ToString().StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether an ordinary body is long: it may be nearly written, so it must still be being written one look later.</summary>
    private bool IsStillWriting() => _lives.IsWritten(_seenWriting ??= _lives.Now);

    /// <summary>Whether the calling code may look now. If another look is in progress, that one looks once more.</summary>
    internal bool TryBeginLook()
    {
        lock (_lock)
        {
            _looksAgain = _isLooking;
            return !_isGone && !_isCut && !_looksAgain && (_isLooking = true);
        }
    }

    /// <summary>Ends the look. Returns true when another look is due.</summary>
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
