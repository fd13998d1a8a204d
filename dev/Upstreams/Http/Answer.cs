using System.Buffers;
using System.Text.Json;

namespace Bff.Dev.Upstreams;

/// <summary>Writes answers from documents that are already JSON.</summary>
internal static class Answer
{
    public const string Json = "application/json; charset=utf-8";

    public static Task JsonAsync(Exchange exchange, ReadOnlyMemory<byte> document, int status = 200)
    {
        var response = exchange.Response;
        response.StatusCode = status;
        response.ContentType = Json;
        response.ContentLength = document.Length;
        return response.BodyWriter.WriteAsync(document, exchange.Context.RequestAborted).AsTask();
    }

    /// <summary>Writes <c>{ "items": [...], tail }</c>; the tail starts with a comma.</summary>
    public static Task ItemsAsync(Exchange exchange, IReadOnlyList<ReadOnlyMemory<byte>> items, ReadOnlyMemory<byte> tail = default)
    {
        var length = "{\"items\":[]}".Length + tail.Length + Math.Max(0, items.Count - 1) + items.Sum(item => item.Length);
        var response = exchange.Response;
        response.ContentType = Json;
        response.ContentLength = length;

        var writer = response.BodyWriter;
        writer.Write("{\"items\":["u8);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                writer.Write(","u8);
            writer.Write(items[i].Span);
        }
        writer.Write("]"u8);
        writer.Write(tail.Span);
        writer.Write("}"u8);
        return writer.FlushAsync(exchange.Context.RequestAborted).AsTask();
    }

    /// <summary>Writes a page: <c>items</c>, <c>nextCursor</c> (null at the end) and further members.</summary>
    public static Task PageAsync(Exchange exchange, IReadOnlyList<ReadOnlyMemory<byte>> items, int? next, string beside = "") =>
        ItemsAsync(
            exchange,
            items,
            System.Text.Encoding.UTF8.GetBytes(
                $",\"nextCursor\":{(next is { } position ? $"\"{Paging.Encode(position)}\"" : "null")}{beside}"
            )
        );

    public static Task NoContentAsync(Exchange exchange)
    {
        exchange.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    public static Task NotFoundAsync(Exchange exchange, string what = "resource") =>
        ProblemAsync(exchange, 404, "not_found", $"There is no such {what}.");

    public static Task MethodNotAllowedAsync(Exchange exchange, string allow)
    {
        exchange.Response.Headers.Allow = allow;
        return ProblemAsync(exchange, 405, "method_not_allowed", $"Allowed here: {allow}.");
    }

    /// <summary>A problem document (RFC 9457).</summary>
    public static Task ProblemAsync(Exchange exchange, int status, string code, string detail)
    {
        var response = exchange.Response;
        response.StatusCode = status;
        response.ContentType = "application/problem+json";
        var bytes = JsonSerializer.SerializeToUtf8Bytes(
            new Problem($"https://services.example.com/problems/{code}", code.Replace('_', ' '), status, detail, code),
            ControlJson.Default.Problem
        );
        response.ContentLength = bytes.Length;
        return response.BodyWriter.WriteAsync(bytes, exchange.Context.RequestAborted).AsTask();
    }
}

internal sealed record Problem(string Type, string Title, int Status, string Detail, string Code);
