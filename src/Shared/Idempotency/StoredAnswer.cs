using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace Bff.Idempotency;

/// <summary>The first answer to a keyed request, which its repeats get too.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Headers">The headers that describe the content, and <c>Location</c>.</param>
/// <param name="Body">The body as the endpoint wrote it, before the gateway compresses it.</param>
public sealed record StoredAnswer(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body)
{
    private static readonly string[] Kept =
    [
        "Content-Type",
        "Content-Encoding",
        "Content-Language",
        "Content-Disposition",
        "Location",
        "ETag",
        "Last-Modified",
    ];

    internal static StoredAnswer Of(HttpResponse response, byte[] body) =>
        new(
            response.StatusCode,
            [
                .. Kept.Where(name => response.Headers[name].Count == 1)
                    .Select(name => KeyValuePair.Create(name, response.Headers[name].ToString())),
            ],
            body
        );

    /// <summary>Writes the stored answer as the answer to a repeat.</summary>
    internal Task Replay(HttpContext context)
    {
        var response = context.Response;
        response.StatusCode = Status;
        foreach (var name in Kept)
        {
            response.Headers.Remove(name);
        }

        foreach (var (name, value) in Headers)
        {
            response.Headers[name] = value;
        }

        response.Headers["Idempotent-Replayed"] = "true";
        return WriteBody(context);
    }

    /// <summary>Writes the body. Status and headers are already on the response.</summary>
    internal async Task WriteBody(HttpContext context)
    {
        var response = context.Response;
        if (Body.Length > 0)
        {
            response.ContentLength = Body.Length;
            await response.Body.WriteAsync(Body, context.RequestAborted);
        }
    }

    internal byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, StoredAnswerJson.Default.StoredAnswer);

    internal static StoredAnswer Deserialize(byte[] bytes) => JsonSerializer.Deserialize(bytes, StoredAnswerJson.Default.StoredAnswer)!;
}

[JsonSerializable(typeof(StoredAnswer))]
internal sealed partial class StoredAnswerJson : JsonSerializerContext;
