using System.Text.Json.Nodes;
using GraphQLParser.AST;

namespace Bff.UpstreamContracts.Checks;

/// <summary>Builds the JSON Schema of a query's variables from a service's schema.</summary>
internal sealed class QueryVariables(SdlSchema schema)
{
    private readonly JsonObject _inputs = [];

    /// <summary>Returns the schema of all variables together, and the document that its references point into.</summary>
    public (JsonObject Document, JsonObject Variables) Of(IEnumerable<GraphQLVariableDefinition> declared)
    {
        var variables = Object(declared.Select(v => (v.Variable.Name.StringValue, v.Type, v.DefaultValue is not null)));
        return (new JsonObject { ["inputs"] = _inputs }, variables);
    }

    private JsonObject Object(IEnumerable<(string Name, GraphQLType Type, bool HasDefault)> fields)
    {
        var (members, required) = (new JsonObject(), new JsonArray());
        foreach (var (name, type, hasDefault) in fields)
        {
            members[name] = Value(type);
            if (type is GraphQLNonNullType && !hasDefault)
            {
                required.Add(name);
            }
        }

        return new()
        {
            ["type"] = "object",
            ["properties"] = members,
            ["required"] = required,
        };
    }

    private JsonObject Value(GraphQLType type) =>
        type is GraphQLNonNullType some
            ? Core(some.Type)
            : new() { ["oneOf"] = new JsonArray(new JsonObject { ["type"] = "null" }, Core(type)) };

    private JsonObject Core(GraphQLType type)
    {
        if (type is GraphQLListType list)
        {
            return new() { ["type"] = "array", ["items"] = Value(list.Type) };
        }

        var name = ((GraphQLNamedType)type).Name.StringValue;
        if (schema.Input(name) is not { } fields)
        {
            return schema.Simple(name);
        }

        if (!_inputs.ContainsKey(name))
        {
            _inputs[name] = null; // It may contain itself.
            _inputs[name] = Object(fields.Values.Select(f => (f.Name.StringValue, f.Type, f.DefaultValue is not null)));
        }

        return new() { ["$ref"] = "#/inputs/" + name };
    }
}
