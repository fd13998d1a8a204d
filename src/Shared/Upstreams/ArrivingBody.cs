using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Upstreams;

/// <summary>
/// A body that is sent on while it arrives. Before its sender is waited for, what has been written goes out to the service, so that it has
/// whatever has arrived; a sender that sends nothing at all for <see cref="RequestBody.IdleTimeout"/> is told so with 408.
/// </summary>
internal sealed class ArrivingBody : ReadOnlyStream
{
    private readonly Stream _received;
    private readonly BffRequest _request;
    private readonly bool _mayBeSilent;
    private readonly CancellationTokenSource _silence;
    private CancellationTokenSource? _either;
    private CancellationToken _asked;
    private Stream? _target;
    private long? _left;
    private bool _isUnsent;

    /// <param name="context">The request.</param>
    /// <param name="time">The clock.</param>
    /// <param name="mayBeSilent">Whether it is a stream, whose sender speaks when it has something to say.</param>
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

    /// <summary>The attempt that sends it on.</summary>
    public ArrivingAttempt? Attempt { get; set; }

    /// <summary>Where it is written to.</summary>
    public void GoesTo(Stream target) => _target = target;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var reading = _received.ReadAsync(buffer, Either(cancellationToken));
        var read = reading.IsCompleted ? await Read(reading) : await Wait(reading.AsTask(), cancellationToken);
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

    private async ValueTask<int> Wait(Task<int> reading, CancellationToken cancellation)
    {
        try
        {
            await SendOn(reading, cancellation);
            Attempt?.Wait();
            if (!_mayBeSilent)
            {
                _silence.CancelAfter(RequestBody.IdleTimeout);
            }

            return await Read(new(reading));
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

    private async ValueTask<int> Read(ValueTask<int> reading)
    {
        try
        {
            return await reading;
        }
        catch
        {
            Attempt?.SenderLost();
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
        }
        catch
        {
            await _either!.CancelAsync(); // The service is gone; the body is not read on.
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    /// <summary>The same token comes with every read.</summary>
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
