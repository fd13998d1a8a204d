using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>
/// Writes problem documents with <see cref="Utf8JsonWriter"/>, regardless of the request's Accept header. Exceptions are an endpoint with a
/// <see cref="ProblemView"/> and gRPC clients, for whom <see cref="GrpcRefusal"/> writes the problem.
/// </summary>
public sealed class ProblemWriter : IProblemWriter
{
    private const string MediaType = "application/problem+json";

    /// <summary>Escapes little, because the document is never part of a page and its text is for developers.</summary>
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    Task IProblemWriter.Write(HttpContext context, Problem problem) => Write(context, problem);

    /// <summary>Responds with the problem. If the response has started or cannot be replaced, the connection is aborted.</summary>
    public static async Task Write(HttpContext context, Problem problem)
    {
        var response = context.Response;
        if (response.HasStarted || !TryStartOver(context))
        {
            context.Abort();
            return;
        }

        response.Headers.CacheControl = "no-store";
        response.Headers.ETag = default;
        response.Headers.LastModified = default;
        response.Headers.ContentEncoding = default;
        if (problem.RetryAfterSeconds is { } delay)
        {
            response.Headers.RetryAfter = delay.ToString(CultureInfo.InvariantCulture);
        }

        if (GrpcForms.Of(context) is var form and not GrpcForm.None)
        {
            await GrpcRefusal.Write(context, form, problem);
            return;
        }

        response.StatusCode = problem.Code.Status;
        response.ContentType = MediaType;
        response.ContentLength = null;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        if (ProblemView.Of(context) is { } view)
        {
            await (await view.Show(context, problem)).ExecuteAsync(context);
            return;
        }

        await using (var json = new Utf8JsonWriter(response.BodyWriter, Readable))
        {
            WriteDocument(json, context, problem);
        }

        // Not cancelled with the request, because a client that broke off while sending the body may still read.
        await response.BodyWriter.FlushAsync(CancellationToken.None);
    }

    /// <summary>Discards a partly written response. Bytes in the server's buffer cannot be taken back; uncompressed bytes can.</summary>
    private static bool TryStartOver(HttpContext context) =>
        context.Features.Get<IHttpResponseBodyFeature>() is CompressedBody compressed
            ? compressed.TryDiscard()
            : context.Response.BodyWriter is not { CanGetUnflushedBytes: true, UnflushedBytes: > 0 };

    private static void WriteDocument(Utf8JsonWriter json, HttpContext context, Problem problem)
    {
        json.WriteStartObject();
        json.WriteString("type", problem.Type ?? PublicUrl.Of(context) + "/problems/" + problem.Code.Code);
        json.WriteString("title", problem.Title ?? problem.Code.Title);
        json.WriteNumber("status", problem.Code.Status);
        json.WriteString("detail", problem.Detail ?? problem.Code.Explanation);
        json.WriteString("instance", context.Request.Path.HasValue ? context.Request.Path.ToUriComponent() : "/");
        json.WriteString("code", problem.Code.Code);
        json.WriteString("requestId", BffRequest.Of(context).RequestId);
        json.WriteString("traceId", Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier);
        if (problem.Section is { } section)
        {
            json.WriteString("section", section);
        }

        if (problem.Errors is not { } errors)
        {
            WriteGraphQlErrors(json, context, problem);
        }
        else
        {
            json.WriteStartObject("errors");
            foreach (var (member, messages) in errors)
            {
                WriteStrings(json, member, messages);
            }

            json.WriteEndObject();
        }

        foreach (var (name, value) in problem.Extensions ?? new Dictionary<string, object>())
        {
            switch (value)
            {
                case int or long:
                    json.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
                case bool flag:
                    json.WriteBoolean(name, flag);
                    break;
                case IEnumerable<string> list:
                    WriteStrings(json, name, list);
                    break;
                default:
                    json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }
        }

        json.WriteEndObject();
    }

    private static void WriteGraphQlErrors(Utf8JsonWriter json, HttpContext context, Problem problem)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<GraphQlErrors>() is null)
        {
            return;
        }

        json.WriteStartArray("errors");
        json.WriteStartObject();
        json.WriteString("message", problem.Title ?? problem.Code.Title);
        json.WriteStartObject("extensions");
        json.WriteString("code", problem.Code.Code.ToUpperInvariant());
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
