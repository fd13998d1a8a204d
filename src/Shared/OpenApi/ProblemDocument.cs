using System.Text.Json.Serialization;

namespace Bff.OpenApi;

/// <summary>
/// Problem document (RFC 9457) of every error. Clients may rely on these members.
/// </summary>
/// <remarks>This type is described and never serialized: <see cref="Edge.ProblemWriter"/> writes the document.</remarks>
/// <param name="Type">URI of the problem type. It leads to a page that explains the problem.</param>
/// <param name="Title">Short name of the problem type. It is the same for every occurrence.</param>
/// <param name="Status">HTTP status of the answer.</param>
/// <param name="Code">Machine-readable code of the problem type. It never changes.</param>
/// <param name="RequestId">Id of the request. Give it to support.</param>
/// <param name="TraceId">W3C trace id of the request.</param>
/// <param name="Detail">Explanation of this occurrence.</param>
/// <param name="Instance">Path of the request.</param>
/// <param name="Section">Part of the answer that failed.</param>
/// <param name="Errors">Messages by invalid member or parameter.</param>
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
