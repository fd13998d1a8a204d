using System.Text.Json;
using System.Text.Json.Nodes;

namespace PartnerBff.Agents;

/// <summary>
/// Builds the input and output of an operation, each as one self-contained JSON Schema: the contract's own schemas, with the ones that they
/// refer to under <c>$defs</c>.
/// </summary>
/// <param name="shared">The contract's schemas by name.</param>
internal sealed class ToolSchemas(JsonObject shared)
{
    private const string Reference = "#/components/schemas/";
    private const string Definitions = "$defs";
    private static readonly string[] Success = ["200", "201", "202", "207"];

    /// <summary>Returns an object of all parameters and of the body's members, which only their names tell apart.</summary>
    /// <exception cref="InvalidOperationException">Two of them have the same name, or the body is no object.</exception>
    public JsonElement InputOf(JsonObject operation, out Dictionary<string, AgentArgument> arguments, out bool hasBody)
    {
        arguments = new(StringComparer.Ordinal);
        var (properties, required) = (new JsonObject(), new JsonArray());
        foreach (var parameter in operation["parameters"]?.AsArray() ?? [])
        {
            var (own, place) = ((string)parameter!["name"]!, (string)parameter["in"]!);
            var name = own.ToLowerInvariant().Replace('-', '_');
            var schema = parameter["schema"]!.DeepClone().AsObject();
            if (parameter["description"] is { } description)
            {
                schema["description"] = description.DeepClone();
            }

            arguments.Add(name, new(own, PlaceOf(own, place)));
            properties.Add(name, schema);
            if ((bool?)parameter["required"] == true)
            {
                required.Add(name);
            }
        }

        hasBody = false;
        if (operation["requestBody"] is JsonObject body)
        {
            hasBody = (bool?)body["required"] == true;
            var schema = Resolve(body["content"]!["application/json"]!["schema"]!.AsObject());
            foreach (var (member, of) in schema["properties"]?.AsObject() ?? throw NotFlat(operation))
            {
                if (!arguments.TryAdd(member, new(member, ArgumentPlace.Body)))
                {
                    throw NotFlat(operation);
                }

                properties.Add(member, of!.DeepClone());
            }

            foreach (var member in hasBody ? schema["required"]?.AsArray() ?? [] : [])
            {
                required.Add(member!.DeepClone());
            }
        }

        var input = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (required.Count > 0)
        {
            input["required"] = required;
        }

        input["additionalProperties"] = false;
        return Whole(input);
    }

    /// <summary>Returns the schema of the answer; null if a successful answer has no body.</summary>
    public JsonElement? OutputOf(JsonObject operation) =>
        operation["responses"]!
            .AsObject()
            .Where(r => Success.Contains(r.Key))
            .Select(r => r.Value!["content"]?["application/json"]?["schema"]?.AsObject())
            .FirstOrDefault(s => s is not null)
            is { } schema
            ? Whole(Resolve(schema).DeepClone().AsObject())
            : null;

    private static ArgumentPlace PlaceOf(string name, string place) =>
        (place, name) switch
        {
            ("path", _) => ArgumentPlace.Path,
            ("query", _) => ArgumentPlace.Query,
            ("header", "Idempotency-Key") => ArgumentPlace.Key,
            _ => throw new InvalidOperationException($"A tool cannot say what '{name}' in the {place} is."),
        };

    private static InvalidOperationException NotFlat(JsonObject operation) =>
        new($"The parameters and the body's members of '{operation["operationId"]}' cannot be the arguments of one tool.");

    private JsonObject Resolve(JsonObject schema) => NameIn(schema) is { } name ? shared[name]!.AsObject() : schema;

    private static string? NameIn(JsonObject schema) =>
        (string?)schema["$ref"] is { } reference && reference.StartsWith(Reference, StringComparison.Ordinal)
            ? reference[Reference.Length..]
            : null;

    private JsonElement Whole(JsonObject schema)
    {
        var definitions = new JsonObject();
        Redirect(schema, definitions);
        if (definitions.Count > 0)
        {
            schema[Definitions] = definitions;
        }

        return JsonSerializer.SerializeToElement(schema, AgentJson.Default.JsonObject);
    }

    /// <summary>Changes each reference to a schema of the contract into a reference to a copy of it.</summary>
    private void Redirect(JsonNode? node, JsonObject definitions)
    {
        switch (node)
        {
            case JsonObject schema:
                if (NameIn(schema) is { } name)
                {
                    schema["$ref"] = $"#/{Definitions}/{name}";
                    if (!definitions.ContainsKey(name))
                    {
                        definitions[name] = shared[name]!.DeepClone();
                        Redirect(definitions[name], definitions);
                    }
                }

                foreach (var (_, member) in schema)
                {
                    Redirect(member, definitions);
                }

                break;
            case JsonArray several:
                foreach (var member in several)
                {
                    Redirect(member, definitions);
                }

                break;
        }
    }
}
