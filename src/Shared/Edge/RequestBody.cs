using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Edge;

/// <summary>Reads a request's body as a whole, once, so that it can be hashed, parsed and forwarded.</summary>
public static class RequestBody
{
    /// <summary>How long a whole body may take to arrive, however steadily it trickles.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const int FirstBytes = 16 * 1024;

    /// <summary>The bytes, at most what <see cref="BodyLimit"/> allows; a second call and later readers of <see cref="HttpRequest.Body"/> get the same ones.</summary>
    /// <exception cref="ProblemException">413 <c>payload_too_large</c>, 408 <c>request_timeout</c>.</exception>
    /// <exception cref="BadHttpRequestException">The body broke off or its framing is wrong; the edge answers with a problem.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> Read(HttpContext context, CancellationToken cancellationToken)
    {
        var known = BffRequest.Of(context);
        if (known.Body is { } earlier)
        {
            return earlier;
        }

        if (BodyLimit.IsExceeded(context))
        {
            throw new ProblemException(new Problem(ProblemCodes.PayloadTooLarge));
        }

        using var patience = new CancellationTokenSource(Patience, context.RequestServices.GetRequiredService<TimeProvider>());
        // A sender who breaks off ends the reading anyway, and is told so where it still listens; to be cancelled as well would be a
        // matter of chance.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken == context.RequestAborted ? default : cancellationToken, patience.Token);
        try
        {
            var body = await ReadToEnd(context.Request, either.Token);
            known.Body = body;
            context.Request.Body = new MemoryStream(body, writable: false);
            return body;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(new Problem(ProblemCodes.RequestTimeout));
        }
    }

    /// <summary>The buffer grows with what arrives, not with what is announced.</summary>
    private static async Task<byte[]> ReadToEnd(HttpRequest request, CancellationToken cancellationToken)
    {
        var announced = request.ContentLength;
        var bytes = new byte[(int)Math.Min(announced ?? FirstBytes, FirstBytes)];
        var length = 0;
        while (length != announced)
        {
            if (length == bytes.Length)
            {
                Array.Resize(ref bytes, bytes.Length * 2);
            }

            var read = await request.Body.ReadAsync(bytes.AsMemory(length), cancellationToken);
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        if (length != bytes.Length)
        {
            Array.Resize(ref bytes, length);
        }

        return bytes;
    }
}
