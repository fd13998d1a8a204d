using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Upstreams;

/// <summary>
/// A body that is forwarded while it arrives. Before waiting for the client, it flushes what has been written, so that the service has all
/// that has arrived. A client that sends nothing for <see cref="RequestBody.IdleTimeout"/> gets 408. Once the service has closed its
/// connection, the client is no longer waited for: the service's answer, if there is one, is known without the rest.
/// </summary>
internal sealed class ArrivingBody : ReadOnlyStream
{
    /// <summary>
    /// Largest rest of a body with a known length that is left unread, and counted as sent, after the service has closed its connection. A
    /// larger rest is read, because counting takes time too.
    /// </summary>
    private const long MostUnread = 256 * 1024 * 1024;

    private const int HungUp = -1;
    private readonly Stream _received;
    private readonly BffRequest _request;
    private readonly bool _mayBeSilent;
    private readonly CancellationTokenSource _silence;
    private CancellationTokenSource? _either;
    private CancellationToken _asked;
    private Stream? _target;
    private long? _left;
    private bool _isUnsent;
    private bool _isCut;

    /// <param name="context">The request.</param>
    /// <param name="time">The clock.</param>
    /// <param name="mayBeSilent">Whether the body is a stream, whose client sends only when it has something to say.</param>
    public ArrivingBody(HttpContext context, TimeProvider time, bool mayBeSilent)
    {
        _received = context.Request.Body;
        _request = BffRequest.Of(context);
        _left = context.Request.ContentLength;
        _mayBeSilent = mayBeSilent;
        Context = context;
        _silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        context.Response.RegisterForDispose(_silence);
    }

    public HttpContext Context { get; }

    /// <summary>The attempt that sends the body.</summary>
    public ArrivingAttempt? Attempt { get; set; }

    /// <summary>Sets the stream to which the body is written.</summary>
    public void GoesTo(Stream target) => _target = target;

    /// <summary>Notes that the service has closed its connection.</summary>
    public void ServiceHungUp() => _isCut = _left is null or <= MostUnread;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = _isCut ? HungUp : await Receive(buffer, cancellationToken);
        if (read == HungUp)
        {
            read = (int)Math.Min(_left ?? 0, buffer.Length); // The announced length must be written, although it goes nowhere.
        }

        _left -= read;
        _isUnsent = read > 0;
        var isLast = read == 0 || _left == 0;
        Attempt?.Arrived(isLast);
        if (isLast)
        {
            _request.Place?.TryStepIn();
            _request.BodyArrived?.Invoke();
        }

        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _either?.Dispose();
        }

        base.Dispose(disposing);
    }

    private ValueTask<int> Receive(Memory<byte> buffer, CancellationToken cancellation)
    {
        var reading = _received.ReadAsync(buffer, Either(cancellation));
        return reading.IsCompleted ? Read(reading, cancellation) : Wait(reading.AsTask(), cancellation);
    }

    private async ValueTask<int> Wait(Task<int> reading, CancellationToken cancellation)
    {
        try
        {
            await SendOn(reading, cancellation);
            if (_isCut)
            {
                return HungUp;
            }

            Attempt?.Wait();
            if (!_mayBeSilent)
            {
                _silence.CancelAfter(RequestBody.IdleTimeout);
            }

            return await Read(new(reading), cancellation);
        }
        catch (OperationCanceledException) when (_silence.IsCancellationRequested)
        {
            throw _request.Fail(RequestBody.TooSlow());
        }
        finally
        {
            _silence.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    /// <param name="reading">A read from the client.</param>
    /// <param name="cancellation">Also cancelled when the service has reset its stream, which is not the client's doing.</param>
    private async ValueTask<int> Read(ValueTask<int> reading, CancellationToken cancellation)
    {
        try
        {
            return await reading;
        }
        catch (Exception broken)
        {
            if (
                broken is not OperationCanceledException
                || !cancellation.IsCancellationRequested
                || Context.RequestAborted.IsCancellationRequested
            )
            {
                Attempt?.SenderLost();
            }

            throw;
        }
    }

    private async ValueTask SendOn(Task<int> reading, CancellationToken cancellation)
    {
        if (!_isUnsent || _target is null)
        {
            return;
        }

        try
        {
            await _target.FlushAsync(cancellation);
            _isUnsent = false;
            if (_isCut)
            {
                await Leave(reading);
            }
        }
        catch
        {
            await Leave(reading);
            throw;
        }
    }

    /// <summary>Stops reading, because the service is gone.</summary>
    private async ValueTask Leave(Task<int> reading)
    {
        await _either!.CancelAsync();
        await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Links the tokens; reuses the result because every read passes the same token.</summary>
    private CancellationToken Either(CancellationToken cancellation)
    {
        if (_either is null || _asked != cancellation)
        {
            _either?.Dispose();
            _either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _silence.Token);
            _asked = cancellation;
        }

        return _either.Token;
    }
}
