using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bff.Upstreams;

/// <summary>A problem of the service's own (RFC 9457), which passes through to the client: its domain refused.</summary>
/// <param name="Type">URI of the problem type.</param>
/// <param name="Title">The same for every occurrence.</param>
/// <param name="Detail">About this occurrence.</param>
public sealed record ServiceProblem(string? Type, string? Title, string? Detail)
{
    internal static ServiceProblem? Read(HttpResponseMessage response, BufferedBody body)
    {
        if (!AnswerType.IsJson(response.Content))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(body.Memory.Span, ServiceProblemJson.Default.ServiceProblem);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ServiceProblem))]
internal sealed partial class ServiceProblemJson : JsonSerializerContext;
