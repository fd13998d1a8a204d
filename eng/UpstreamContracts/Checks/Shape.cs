using System.Globalization;
using System.Text.Json.Nodes;

namespace Bff.UpstreamContracts.Checks;

/// <summary>
/// A schema with its references followed, <c>allOf</c> merged, and "or null" separated, whether written as <c>type: [null, string]</c> or
/// as <c>oneOf: [null, $ref]</c>.
/// </summary>
/// <param name="Variants">Variants of <c>oneOf</c> and <c>anyOf</c> without "null": none, or more than one.</param>
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
    private const int LongestChain = 100;

    private static readonly string[] Typing =
    [
        "$ref",
        "type",
        "enum",
        "const",
        "oneOf",
        "anyOf",
        "allOf",
        "properties",
        "additionalProperties",
        "items",
    ];

    /// <summary>Whether the schema says nothing, so that any value is allowed.</summary>
    public bool IsAnything => Types.Count + Variants.Count == 0;

    /// <exception cref="InvalidOperationException">A reference leads nowhere or in a circle.</exception>
    public static Shape Of(JsonNode schema, JsonNode document) => Of(schema, document, []);

    private static Shape Of(JsonNode schema, JsonNode document, HashSet<JsonObject> within)
    {
        var (resolved, name) = Follow(schema, document);
        var isNew = within.Add(resolved); // A schema that is part of itself adds nothing.
        var variants = new Dictionary<string, JsonNode>();
        var isNullable = false;
        foreach (var variant in isNew ? List(resolved["oneOf"]).Concat(List(resolved["anyOf"])) : [])
        {
            if (variant is JsonObject && (variant["type"] as JsonValue)?.GetValue<string>() == "null")
            {
                isNullable = true;
            }
            else
            {
                variants[(string?)(variant as JsonObject)?["$ref"] ?? variant.ToJsonString()] = variant;
            }
        }

        if (variants.Count == 1 && resolved.Count == 1)
        {
            var only = Of(variants.Values.Single(), document, within);
            return only with { IsNullable = isNullable || only.IsNullable };
        }

        var parts = (isNew ? List(resolved["allOf"]) : []).Concat(variants.Count == 1 ? variants.Values : []).ToList();
        if (variants.Count == 1)
        {
            variants.Clear();
        }

        var own = Own(resolved, name) with { IsNullable = isNullable, Variants = variants };
        var types = resolved["type"] is null ? [] : TypesOf(resolved);
        own = own with { IsNullable = isNullable || types.Contains("null") || (types.Count == 0 && HasNull(resolved["enum"])) };
        return parts.Aggregate(
            own,
            (whole, part) => Together(whole, Of(part, document, within), isFirst: types.Count == 0 && part == parts[0])
        );
    }

    private static Shape Own(JsonObject resolved, string name)
    {
        var types = TypesOf(resolved);
        var members = Object(resolved["properties"]).Where(p => p.Value is not null).ToDictionary(p => p.Key, p => p.Value!);
        var required = List(resolved["required"]).Select(r => (string)r!).ToHashSet();
        var values = resolved["const"] is { } constant
            ? [constant.ToJsonString()]
            : (resolved["enum"] as JsonArray)?.Select(v => v?.ToJsonString() ?? "null").ToList();
        if (types.Count == 0)
        {
            // Generators omit the type beside an enum, and people omit it beside members.
            types =
                values is { Count: > 0 } && values.All(v => v is "null" || v[0] == '"') ? ["string"]
                : members.Count > 0 || resolved["additionalProperties"] is JsonObject ? ["object"]
                : resolved["items"] is not null ? ["array"]
                : [];
        }

        return new(
            name,
            false,
            [.. types.Where(t => t != "null")],
            (string?)(resolved["format"] as JsonValue),
            values?.Where(v => v != "null").ToList(),
            members,
            required,
            resolved["items"],
            resolved["additionalProperties"],
            new Dictionary<string, JsonNode>(),
            resolved
        );
    }

    // Generators list null among the values without a type beside them.
    private static bool HasNull(JsonNode? values) => values is JsonArray list && list.Any(v => v is null);

    /// <summary>Merges one of the variants with what is said beside them.</summary>
    public Shape As(Shape variant) => Together(this with { Variants = variant.Variants, Schema = variant.Schema }, variant, isFirst: true);

    private static Shape Together(Shape whole, Shape part, bool isFirst)
    {
        var members = new Dictionary<string, JsonNode>(whole.Members);
        foreach (var (name, member) in part.Members)
        {
            // A second description of a member without a type does not replace the first.
            if (SaysType(member) || !members.ContainsKey(name))
            {
                members[name] = member;
            }
        }

        return whole with
        {
            Name = whole.Name.Length > 0 ? whole.Name : part.Name,
            IsNullable = whole.IsNullable || (isFirst && part.IsNullable),
            Types = whole.Types.Count > 0 ? whole.Types : part.Types,
            Format = whole.Format ?? part.Format,
            Values = whole.Values ?? part.Values,
            Members = members,
            Required = whole.Required.Union(part.Required).ToHashSet(),
            Items = whole.Items ?? part.Items,
            Rest = whole.Rest ?? part.Rest,
            Variants = whole.Variants.Count > 0 ? whole.Variants : part.Variants,
        };
    }

    private static bool SaysType(JsonNode schema) => schema is JsonObject members && members.Any(m => Typing.Contains(m.Key));

    /// <summary>Returns the object behind a <c>$ref</c> into the document, and that reference (empty if there is none).</summary>
    public static (JsonObject Target, string Name) Follow(JsonNode node, JsonNode document)
    {
        var name = "";
        for (var steps = 0; (string?)((node as JsonObject)?["$ref"] as JsonValue) is { } reference; steps++)
        {
            if (steps == LongestChain)
            {
                throw new InvalidOperationException($"{reference} refers to itself.");
            }

            if (!reference.StartsWith('#'))
            {
                throw new InvalidOperationException($"{reference} refers to another file. Put the whole document into one file first.");
            }

            name = reference;
            node = reference
                .TrimStart('#', '/')
                .Split('/', StringSplitOptions.RemoveEmptyEntries)
                .Aggregate(
                    document,
                    (at, step) =>
                        Below(
                            at,
                            Uri.UnescapeDataString(step)
                                .Replace("~1", "/", StringComparison.Ordinal)
                                .Replace("~0", "~", StringComparison.Ordinal)
                        ) ?? throw new InvalidOperationException($"{reference} refers to nothing in the document.")
                );
        }

        return (node as JsonObject ?? [], name); // "true" is a schema too.
    }

    private static JsonNode? Below(JsonNode node, string step) =>
        node switch
        {
            JsonObject members => members[step],
            JsonArray items when int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at < items.Count =>
                items[at],
            _ => null,
        };

    public static IEnumerable<JsonNode> List(JsonNode? node) => (node as JsonArray ?? []).Where(n => n is not null).Select(n => n!);

    public static IEnumerable<KeyValuePair<string, JsonNode?>> Object(JsonNode? node) => node as JsonObject ?? [];

    private static List<string> TypesOf(JsonObject resolved) =>
        resolved["type"] switch
        {
            JsonArray several => [.. several.Select(t => (string)t!)],
            JsonValue one => [(string)one!],
            _ => [],
        };
}
