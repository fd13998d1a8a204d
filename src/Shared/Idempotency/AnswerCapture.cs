using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Idempotency;

/// <summary>Holds an answer back until it is stored.</summary>
internal static class AnswerCapture
{
    /// <summary>Largest answer in bytes. A larger answer to a write is a fault of the upstream.</summary>
    private const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>Runs the endpoint and writes its body to memory. Headers stay on the response.</summary>
    public static async Task<StoredAnswer> Run(HttpContext context, RequestDelegate serve)
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

    private sealed class BoundedStream : WriteOnlyStream
    {
        private readonly MemoryStream _bytes = new();

        public byte[] ToArray() => _bytes.ToArray();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_bytes.Length + buffer.Length > MaxBytes)
            {
                throw new ProblemException(new Problem(ProblemCodes.UpstreamFailed));
            }

            _bytes.Write(buffer.Span);
            return default;
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
