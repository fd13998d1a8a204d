using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

/// <summary>
/// Writes a problem in the form that gRPC clients understand (gRPC over HTTP/2, PROTOCOL-HTTP2): HTTP 200 without a message, and the
/// trailers <c>grpc-status</c>, <c>grpc-message</c> and <c>retry-after</c>.
/// </summary>
internal static class GrpcRefusal
{
    private const string RetryAfter = "retry-after";
    private const byte TrailerFrame = 0x80;
    private static readonly SearchValues<byte> Plain = SearchValues.Create([
        .. Enumerable.Range(' ', '~' - ' ' + 1).Where(c => c != '%').Select(c => (byte)c),
    ]);

    /// <summary>Returns the gRPC status that corresponds to an HTTP status.</summary>
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

    /// <summary>Writes the response in the client's form. The response must not have started, and must be clean.</summary>
    public static async Task Write(HttpContext context, GrpcForm form, Problem problem)
    {
        var response = context.Response;
        // This status is for the log, because the client has disconnected.
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
    /// Encodes trailers as the last frame of a gRPC-Web body (PROTOCOL-WEB). It omits <c>retry-after</c>: .NET's client accepts that only
    /// as a header and would fail.
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

    /// <summary>Encodes one padded piece of Base64. The text form of gRPC-Web is any number of such pieces.</summary>
    public static byte[] ToText(ReadOnlySpan<byte> bytes)
    {
        var text = new byte[Base64.GetMaxEncodedToUtf8Length(bytes.Length)];
        Base64.EncodeToUtf8(bytes, text, out _, out _);
        return text;
    }

    /// <summary>Percent-encodes the percent sign and all that is not printable ASCII.</summary>
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
