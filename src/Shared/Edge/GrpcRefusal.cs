using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

/// <summary>
/// Writes a problem as a gRPC client understands it (gRPC over HTTP/2, PROTOCOL-HTTP2): HTTP 200 without a message, and in the trailers
/// <c>grpc-status</c>,
/// <c>grpc-message</c> and <c>retry-after</c>.
/// </summary>
internal static class GrpcRefusal
{
    private const string RetryAfter = "retry-after";
    private const byte TrailerFrame = 0x80;
    private static readonly SearchValues<byte> Plain = SearchValues.Create([
        .. Enumerable.Range(' ', '~' - ' ' + 1).Where(c => c != '%').Select(c => (byte)c),
    ]);

    /// <summary>The gRPC status that says what an HTTP status says.</summary>
    public static int StatusOf(int status) =>
        status switch
        {
            400 or 422 => GrpcCode.InvalidArgument,
            401 => GrpcCode.Unauthenticated,
            403 => GrpcCode.PermissionDenied,
            404 or 405 or 415 or 501 => GrpcCode.Unimplemented,
            408 or 504 => GrpcCode.DeadlineExceeded,
            409 => GrpcCode.Aborted,
            412 => GrpcCode.FailedPrecondition,
            413 or 429 or 431 => GrpcCode.ResourceExhausted,
            499 => GrpcCode.Cancelled,
            502 or 503 => GrpcCode.Unavailable,
            >= 500 => GrpcCode.Internal,
            _ => GrpcCode.Unknown,
        };

    /// <summary>Answers in the client's form. The response has not started, and is clean.</summary>
    public static async Task Write(HttpContext context, GrpcForm form, Problem problem)
    {
        var response = context.Response;
        // For the log; the client does not see it.
        var status = context.RequestAborted.IsCancellationRequested ? GrpcCode.Cancelled : StatusOf(problem.Code.Status);
        RpcOutcome.Note(context, status);
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = GrpcForms.MediaType(form, context.Request.ContentType);
        response.ContentLength = null;
        List<KeyValuePair<string, string>> trailers =
        [
            new("grpc-status", status.ToString(CultureInfo.InvariantCulture)),
            new("grpc-message", Encode($"{problem.Code.Code}: {problem.Detail ?? problem.Code.Explanation}")),
        ];
        if (form is GrpcForm.Plain)
        {
            if (response.Headers.RetryAfter is [{ } retryAfter])
            {
                trailers.Add(new(RetryAfter, retryAfter));
            }

            foreach (var (name, value) in trailers)
            {
                response.AppendTrailer(name, value);
            }

            return;
        }

        var frame = Frame(trailers);
        await response.BodyWriter.WriteAsync(form is GrpcForm.WebText ? ToText(frame) : frame, CancellationToken.None);
    }

    /// <summary>
    /// Trailers as the last frame of a gRPC-Web body (PROTOCOL-WEB). Without <c>retry-after</c>: .NET's client takes it for a header alone,
    /// and would fail.
    /// </summary>
    public static byte[] Frame(IEnumerable<KeyValuePair<string, string>> trailers)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in trailers.Where(static t => !t.Key.Equals(RetryAfter, StringComparison.OrdinalIgnoreCase)))
        {
            text.Append(name.ToLowerInvariant()).Append(": ").Append(value).Append("\r\n");
        }

        var bytes = Encoding.Latin1.GetBytes(text.ToString());
        var frame = new byte[5 + bytes.Length];
        frame[0] = TrailerFrame;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), bytes.Length);
        bytes.CopyTo(frame, 5);
        return frame;
    }

    /// <summary>One padded piece of Base64; a gRPC-Web text is any number of them.</summary>
    public static byte[] ToText(ReadOnlySpan<byte> bytes)
    {
        var text = new byte[Base64.GetMaxEncodedToUtf8Length(bytes.Length)];
        Base64.EncodeToUtf8(bytes, text, out _, out _);
        return text;
    }

    /// <summary>What is not printable ASCII, and the percent sign, is percent-encoded.</summary>
    public static string Encode(string message)
    {
        var bytes = Encoding.UTF8.GetBytes(message);
        if (!bytes.AsSpan().ContainsAnyExcept(Plain))
        {
            return message;
        }

        var text = new StringBuilder(bytes.Length + 16);
        foreach (var b in bytes)
        {
            if (Plain.Contains(b))
            {
                text.Append((char)b);
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
            }
        }

        return text.ToString();
    }
}
