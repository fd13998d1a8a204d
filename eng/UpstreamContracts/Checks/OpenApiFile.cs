using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;

namespace Bff.UpstreamContracts.Checks;

/// <summary>Reads a service's OpenAPI document, 2.0 to 3.1, JSON or YAML, and returns it as JSON of 3.1.</summary>
internal static class OpenApiFile
{
    /// <summary>Marks a document of version 2.0, because the reader drops its <c>collectionFormat</c>.</summary>
    public const string IsOfVersion2 = "x-version-2";

    /// <exception cref="WrongInputException">The text is not an OpenAPI document, or cannot be relied on.</exception>
    public static JsonObject Read(string text)
    {
        try
        {
            var raw = (text.TrimStart() is ['{', ..] ? JsonNode.Parse(text) : YamlText.Read(text)) as JsonObject;
            if (raw is null || !raw.Any(m => m.Key is "openapi" or "swagger"))
            {
                throw new WrongInputException("The document is not an OpenAPI document: it has no member \"openapi\".");
            }

            Straighten(raw);
            var (document, diagnostic) = OpenApiDocument.Parse(
                raw.ToJsonString(),
                "json",
                new OpenApiReaderSettings { LoadExternalRefs = false }
            );
            if (diagnostic?.Errors is { Count: > 0 } errors)
            {
                throw new WrongInputException(string.Join('\n', errors.Take(5).Select(e => $"{e.Pointer}: {e.Message}")));
            }

            var read = JsonNode.Parse(document!.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1).GetAwaiter().GetResult())!.AsObject();
            read[IsOfVersion2] = raw.ContainsKey("swagger");
            return read;
        }
        catch (Exception broken) when (broken is not WrongInputException and not OutOfMemoryException)
        {
            throw new WrongInputException($"It is no OpenAPI document: {broken.Message}"); // The reader's exceptions are of many kinds.
        }
    }

    /// <summary>
    /// Restores what the reader loses: <c>nullable: true</c> of 3.0 beside a reference or <c>allOf</c>, and <c>true</c> in place of a
    /// schema.
    /// </summary>
    private static void Straighten(JsonNode? node)
    {
        switch (node)
        {
            case JsonArray list:
                foreach (var item in list)
                {
                    Straighten(item);
                }

                break;
            case JsonObject members:
                foreach (var (_, member) in members.ToList())
                {
                    Straighten(member);
                }

                if (members["properties"] is JsonObject properties)
                {
                    foreach (var (name, _) in properties.Where(p => p.Value?.GetValueKind() == JsonValueKind.True).ToList())
                    {
                        properties[name] = new JsonObject();
                    }
                }

                if (
                    members["type"] is null
                    && (members["nullable"] as JsonValue)?.GetValueKind() == JsonValueKind.True
                    && members.Any(m => m.Key is "$ref" or "allOf" or "oneOf" or "anyOf")
                )
                {
                    members.Remove("nullable");
                    var schema = new JsonObject(members.Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone())));
                    members.Clear();
                    members["oneOf"] = new JsonArray(new JsonObject { ["type"] = "null" }, schema);
                }

                break;
        }
    }
}
