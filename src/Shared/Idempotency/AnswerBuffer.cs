using Bff.Edge;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Idempotency;

/// <summary>Holds an answer back until it is stored.</summary>
internal static class AnswerBuffer
{
    /// <summary>A larger answer to a write is the upstream's mistake.</summary>
    private const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>Runs the endpoint with its body going to memory; headers stay on the response.</summary>
    public static async Task<StoredAnswer> Capture(HttpContext context, RequestDelegate serve)
    {
        var original = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var buffer = new BoundedStream();
        var capture = new StreamResponseBodyFeature(buffer);
        context.Features.Set<IHttpResponseBodyFeature>(capture);
        try
        {
            await serve(context);
            await capture.CompleteAsync();
        }
        finally
        {
            context.Features.Set(original);
        }

        return StoredAnswer.Of(context.Response, buffer.ToArray());
    }

    private sealed class BoundedStream : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Length + buffer.Length > MaxBytes)
            {
                throw new ProblemException(new Problem(ProblemCodes.UpstreamFailed));
            }

            base.Write(buffer);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Write(buffer.AsSpan(offset, count));
            return Task.CompletedTask;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return default;
        }
    }
}
