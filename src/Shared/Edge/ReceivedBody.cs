using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

/// <summary>
/// A request's body as the server receives it. Every error in it counts as the client's, because the server reports some framing errors
/// (RFC 9112 section 7.1), such as a chunk of two gibibytes, as I/O failures, which would lead to 500. The error is recorded for code that
/// forwards the body.
/// </summary>
internal sealed class ReceivedBody(Stream received, BffRequest request) : ReadOnlyStream
{
    /// <exception cref="BadHttpRequestException">The body broke off, is too large or too slow, or has wrong framing.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var reading = received.ReadAsync(buffer, cancellationToken);
            if (!reading.IsCompleted)
            {
                request.Place?.StepOut();
            }

            var read = await reading;
            if (read == 0)
            {
                request.Place?.TryStepIn();
            }

            return read;
        }
        catch (BadHttpRequestException refused)
        {
            request.Fail(refused);
            throw;
        }
        catch (Exception broken) when (broken is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // This includes a cancellation that no token here requested, and a reader that no longer works: the connection has been closed.
            throw request.Fail(
                new BadHttpRequestException("The body is not framed correctly, or the connection was closed before its end.", broken)
            );
        }
    }
}
