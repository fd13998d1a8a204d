using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Composition;

namespace NewBff.Features;

/// <summary>Reports how a composed answer was made.</summary>
public sealed record Meta(int ServicesCalled, int ServicesSucceeded, IReadOnlyDictionary<string, string>? Degraded = null);

internal sealed class CompositionMeta : ICompositionMeta
{
    public void Write(Utf8JsonWriter json, CompositionReport report)
    {
        json.WriteStartObject();
        json.WriteNumber("servicesCalled"u8, report.ServicesCalled);
        json.WriteNumber("servicesSucceeded"u8, report.ServicesSucceeded);
        if (report.IsDegraded)
        {
            json.WriteStartObject("degraded"u8);
            foreach (var part in report.Parts.Where(p => p.Status is not (PartStatus.Live or PartStatus.Cached or PartStatus.Skipped)))
            {
                json.WriteString(part.Name, part.Status.Name());
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}

/// <summary>Writes the answers to clients.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Welcome))]
internal sealed partial class AnswersJson : JsonSerializerContext;
