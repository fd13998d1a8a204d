using Bff.Callers.Life;
using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Routes;

/// <summary>
/// Reads the messages of a service's answer. It ends when the service ends it, breaks off or is silent for too long, when the client's
/// deadline passes, or when the caller's credential expires. Unless the service itself ended the call, the gateway sets a status that tells
/// the client why (<see cref="GrpcCall.End"/>).
/// </summary>
internal sealed class GrpcAnswer : ReadOnlyStream
{
    /// <summary>Grace period after the credential expires, so that an answer already on its way is delivered.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    private readonly Stream _inner;
    private readonly HttpContext _context;
    private readonly GrpcCall _call;
    private readonly TimeSpan _idle;
    private readonly CancellationTokenSource _silent;
    private readonly CancellationTokenSource? _late;
    private readonly CancellationTokenSource _expired;
    private readonly CancellationTokenRegistration _credential;
    private CancellationTokenSource? _any;
    private CancellationToken _asked;

    public GrpcAnswer(Stream inner, HttpContext context, GrpcCall call, TimeSpan idle, TimeProvider time)
    {
        (_inner, _context, _call, _idle) = (inner, context, call, idle);
        _silent = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _late = call.Left(time) is { } left && left.TotalMilliseconds < int.MaxValue ? new CancellationTokenSource(left, time) : null;
        _expired = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _credential = CallerLife
            .EndOf(context)
            .UnsafeRegister(static expired => ((CancellationTokenSource)expired!).CancelAfter(Grace), _expired);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_call.End is not null)
        {
            return 0;
        }

        _silent.CancelAfter(_idle);
        try
        {
            return await _inner.ReadAsync(buffer, Any(cancellationToken));
        }
        catch (Exception ended)
            when (!cancellationToken.IsCancellationRequested && ended is OperationCanceledException or IOException or HttpRequestException)
        {
            _call.End = Why();
            return 0;
        }
        finally
        {
            _silent.CancelAfter(Timeout.InfiniteTimeSpan); // A slow client does not count as a silent service.
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _credential.Dispose();
            _any?.Dispose();
            _silent.Dispose();
            _late?.Dispose();
            _expired.Dispose();
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private (int Status, string Message) Why() =>
        _expired.IsCancellationRequested ? (GrpcCode.Unauthenticated, "The credential has expired or was revoked. Obtain a new one.")
        : _late is { IsCancellationRequested: true } ? (GrpcCode.DeadlineExceeded, "The call's own deadline has passed.")
        : _silent.IsCancellationRequested ? (GrpcCode.DeadlineExceeded, "The service was silent for too long.")
        : BffRequest.Of(_context).BodyFault is { } fault
            ? (GrpcRefusal.StatusOf(fault.StatusCode), "The stream of the client is not well-formed, or a message is too large.")
        : (GrpcCode.Unavailable, "The service closed the connection before the end of the call.");

    /// <summary>Links all tokens; reuses the result because every read passes the same token.</summary>
    private CancellationToken Any(CancellationToken cancellation)
    {
        if (_any is null || _asked != cancellation)
        {
            _any?.Dispose();
            _any = CancellationTokenSource.CreateLinkedTokenSource([cancellation, _silent.Token, _expired.Token, _late?.Token ?? default]);
            _asked = cancellation;
        }

        return _any.Token;
    }
}
