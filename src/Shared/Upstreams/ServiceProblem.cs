using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bff.Upstreams;

/// <summary>A service's problem document (RFC 9457) for a refusal of its domain, which passes through to the client.</summary>
/// <param name="Type">URI of the problem type.</param>
/// <param name="Title">Summary that is the same for every occurrence.</param>
/// <param name="Detail">Explanation of this occurrence.</param>
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
