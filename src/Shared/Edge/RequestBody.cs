using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Edge;

/// <summary>Reads a request's body as a whole, once, so that it can be hashed, parsed and forwarded.</summary>
public static class RequestBody
{
    /// <summary>How long a whole body may take to arrive, however steadily it trickles.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

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
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
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

    private static async Task<byte[]> ReadToEnd(HttpRequest request, CancellationToken cancellationToken)
    {
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
