using System.Text.Json.Nodes;

namespace Architecture.Tests.Contracts;

/// <summary>
/// A schema with its references followed and "or null" taken apart, whether written as <c>type: [null, string]</c> or as <c>oneOf: [null,
/// $ref]</c>.
/// </summary>
internal sealed record Shape(
    string Name,
    bool IsNullable,
    IReadOnlyList<string> Types,
    string? Format,
    IReadOnlyList<string>? Values,
    IReadOnlyDictionary<string, JsonNode> Members,
    IReadOnlySet<string> Required,
    JsonNode? Items,
    JsonNode? Rest,
    IReadOnlyDictionary<string, JsonNode> Variants,
    JsonObject Schema
)
{
    public static Shape Of(JsonNode schema, JsonNode document)
    {
        var (resolved, name) = Follow(schema, document);
        var nullable = false;
        var variants = new Dictionary<string, JsonNode>();
        foreach (var variant in List(resolved["oneOf"]).Concat(List(resolved["anyOf"])))
        {
            if ((variant["type"] as JsonValue)?.GetValue<string>() == "null")
            {
                nullable = true;
            }
            else
            {
                variants[(string?)variant["$ref"] ?? variant.ToJsonString()] = variant;
            }
        }

        if (variants.Count == 1)
        {
            var only = Of(variants.Values.Single(), document);
            return only with { IsNullable = nullable || only.IsNullable };
        }

        var types = resolved["type"] switch
        {
            JsonArray several => several.Select(t => (string)t!).ToList(),
            { } one => [(string)one!],
            null => [],
        };
        var members = Object(resolved["properties"]).ToDictionary(p => p.Key, p => p.Value!);
        var required = List(resolved["required"]).Select(r => (string)r!).ToHashSet();
        foreach (var part in List(resolved["allOf"]).Select(p => Of(p, document)))
        {
            part.Members.ToList().ForEach(m => members[m.Key] = m.Value);
            required.UnionWith(part.Required);
        }

        var values = resolved["const"] is { } constant
            ? [constant.ToJsonString()]
            : (resolved["enum"] as JsonArray)?.Select(v => v?.ToJsonString() ?? "null").ToList();
        if (types.Count == 0 && values?.All(v => v is "null" || v[0] == '"') == true)
        {
            types.Add("string"); // Generators leave it out beside an enum.
        }

        return new(
            name,
            nullable || types.Contains("null"),
            types.Where(t => t != "null").ToList(),
            (string?)resolved["format"],
            values?.Where(v => v != "null").ToList(),
            members,
            required,
            resolved["items"],
            resolved["additionalProperties"],
            variants,
            resolved
        );
    }

    /// <summary>The object behind a <c>$ref</c> into the document, and that reference (empty without one).</summary>
    public static (JsonObject Target, string Name) Follow(JsonNode node, JsonNode document)
    {
        var name = "";
        while ((string?)(node as JsonObject)?["$ref"] is { } reference)
        {
            name = reference;
            node = reference
                .TrimStart('#', '/')
                .Split('/')
                .Aggregate(
                    document,
                    (at, step) =>
                        at[step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)]
                        ?? throw new InvalidOperationException($"{reference} leads nowhere.")
                );
        }

        return (node as JsonObject ?? [], name); // "true" is a schema too.
    }

    public static IEnumerable<JsonNode> List(JsonNode? node) => (node as JsonArray ?? []).Select(n => n!);

    public static IEnumerable<KeyValuePair<string, JsonNode?>> Object(JsonNode? node) => node as JsonObject ?? [];
}
