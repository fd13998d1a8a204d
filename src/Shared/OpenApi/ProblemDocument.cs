using System.Text.Json.Serialization;

namespace Bff.OpenApi;

/// <summary>
/// What clients may rely on in every problem document (RFC 9457); described, never serialized: <see cref="Edge.ProblemWriter"/> writes it.
/// </summary>
/// <param name="Type">URI of the problem type, with a page that explains it.</param>
/// <param name="Title">The same for every occurrence.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">Stable and machine-readable.</param>
/// <param name="RequestId">Helps support to find the request.</param>
/// <param name="TraceId">W3C trace id.</param>
/// <param name="Detail">About this occurrence.</param>
/// <param name="Instance">The path that was asked for.</param>
/// <param name="Section">The composition part that failed.</param>
/// <param name="Errors">Messages per invalid member.</param>
public sealed record ProblemDocument(
    string Type,
    string Title,
    int Status,
    string Code,
    [property: JsonPropertyName("requestId")] string RequestId,
    [property: JsonPropertyName("traceId")] string TraceId, // The names do not depend on a host's naming policy.
    string? Detail = null,
    string? Instance = null,
    string? Section = null,
    IReadOnlyDictionary<string, string[]>? Errors = null
);

/// <summary>The metadata for the schema.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ProblemDocument))]
internal sealed partial class ProblemDocumentJson : JsonSerializerContext;
