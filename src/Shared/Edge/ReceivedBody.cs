using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

/// <summary>
/// A request's body as the server receives it, whose every flaw is the client's: the server reports some flaws of a message's framing (RFC
/// 9112 section 7.1), such as a chunk of two gibibytes, as a failure of input and output, which would be answered with 500. Notes the flaw
/// for those who send the body on.
/// </summary>
internal sealed class ReceivedBody(Stream received, BffRequest request) : ReadOnlyStream
{
    /// <exception cref="BadHttpRequestException">The body broke off, is too large or too slow, or its framing is wrong.</exception>
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
            // Also a cancellation that no token here has asked for, and a reader that is of no use any more: the connection has been ended.
            throw request.Fail(new BadHttpRequestException("The body's framing is wrong, or its sender is gone.", broken));
        }
    }
}
