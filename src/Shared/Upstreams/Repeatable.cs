using Microsoft.AspNetCore.Http;

namespace Bff.Upstreams;

/// <summary>Decides, in one place, which requests may be sent to an upstream more than once.</summary>
internal static class Repeatable
{
    /// <summary>Marks a POST that only reads (a GraphQL query, a gRPC read).</summary>
    public static readonly HttpRequestOptionsKey<bool> ReadsOnly = new("bff.reads-only");

    /// <summary>Marks a request that is sent once, even with an idempotency key: a stream, which cannot be held.</summary>
    public static readonly HttpRequestOptionsKey<bool> Once = new("bff.once");

    /// <summary>Whether the request only reads, so that it may be repeated and hedged (RFC 9110 section 9.2.1).</summary>
    public static bool IsRead(HttpRequestMessage request) =>
        request.Method == HttpMethod.Get
        || request.Method == HttpMethod.Head
        || request.Method == HttpMethod.Options
        || (request.Options.TryGetValue(ReadsOnly, out var reads) && reads);

    /// <summary>Whether a client's request that is to be forwarded may be repeated.</summary>
    public static bool IsRepeatable(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        || HttpMethods.IsHead(request.Method)
        || HttpMethods.IsOptions(request.Method)
        || request.Headers.ContainsKey("Idempotency-Key");

    /// <summary>Whether the request may be repeated. Writes may only with the caller's idempotency key, and are never hedged.</summary>
    public static bool IsRepeatable(HttpRequestMessage request) =>
        IsRead(request) || (request.Headers.Contains("Idempotency-Key") && !(request.Options.TryGetValue(Once, out var once) && once));
}
