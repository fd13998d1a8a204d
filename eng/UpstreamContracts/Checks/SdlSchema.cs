using System.Text.Json.Nodes;
using GraphQLParser.AST;

namespace Bff.UpstreamContracts.Checks;

/// <summary>The types of a GraphQL schema, including their extensions.</summary>
internal sealed class SdlSchema
{
    private readonly Dictionary<string, Dictionary<string, GraphQLFieldDefinition>> _objects = [];
    private readonly Dictionary<string, Dictionary<string, GraphQLInputValueDefinition>> _inputs = [];
    private readonly Dictionary<string, List<string>> _enums = [];
    private readonly Dictionary<string, List<string>> _unions = [];
    private readonly Dictionary<string, List<string>> _implementations = [];
    private readonly Dictionary<OperationType, string> _roots = new()
    {
        [OperationType.Query] = "Query",
        [OperationType.Mutation] = "Mutation",
        [OperationType.Subscription] = "Subscription",
    };

    public SdlSchema(GraphQLDocument document)
    {
        foreach (var definition in document.Definitions)
        {
            switch (definition)
            {
                case GraphQLSchemaDefinition { OperationTypes: { } roots }:
                    foreach (var root in roots)
                    {
                        _roots[root.Operation] = root.Type!.Name.StringValue;
                    }

                    break;
                case GraphQLObjectTypeDefinition type:
                    Add(type.Name.StringValue, type.Fields, type.Interfaces);
                    break;
                case GraphQLObjectTypeExtension type:
                    Add(type.Name.StringValue, type.Fields, type.Interfaces);
                    break;
                case GraphQLInterfaceTypeDefinition type:
                    Add(type.Name.StringValue, type.Fields, null);
                    break;
                case GraphQLInterfaceTypeExtension type:
                    Add(type.Name.StringValue, type.Fields, null);
                    break;
                case GraphQLInputObjectTypeDefinition type:
                    Add(type.Name.StringValue, type.Fields);
                    break;
                case GraphQLInputObjectTypeExtension type:
                    Add(type.Name.StringValue, type.Fields);
                    break;
                case GraphQLEnumTypeDefinition type:
                    Of(_enums, type.Name.StringValue).AddRange(type.Values?.Select(v => v.Name.StringValue) ?? []);
                    break;
                case GraphQLEnumTypeExtension type:
                    Of(_enums, type.Name.StringValue).AddRange(type.Values?.Select(v => v.Name.StringValue) ?? []);
                    break;
                case GraphQLUnionTypeDefinition type:
                    Of(_unions, type.Name.StringValue).AddRange(type.Types?.Select(t => t.Name.StringValue) ?? []);
                    break;
                case GraphQLUnionTypeExtension type:
                    Of(_unions, type.Name.StringValue).AddRange(type.Types?.Select(t => t.Name.StringValue) ?? []);
                    break;
            }
        }
    }

    public bool HasQueries => _objects.ContainsKey(_roots[OperationType.Query]);

    public string Root(OperationType operation) => _roots[operation];

    public GraphQLFieldDefinition? Field(string type, string name) => _objects.GetValueOrDefault(type)?.GetValueOrDefault(name);

    public IReadOnlyDictionary<string, GraphQLInputValueDefinition>? Input(string type) => _inputs.GetValueOrDefault(type);

    /// <summary>Returns the JSON Schema of an enum or a scalar.</summary>
    public JsonObject Simple(string type) =>
        _enums.TryGetValue(type, out var values)
            ? new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. values.Select(v => JsonValue.Create(v))]) }
            : type switch
            {
                "String" or "ID" or "DateTime" or "DateTimeOffset" or "Date" or "Time" or "Guid" or "UUID" or "Uri" or "URL" =>
                    new JsonObject { ["type"] = "string" },
                "Int" or "Short" or "Byte" => new JsonObject { ["type"] = "integer", ["format"] = "int32" },
                "Long" or "BigInt" => new JsonObject { ["type"] = "integer", ["format"] = "int64" },
                "Float" or "Decimal" or "BigDecimal" => new JsonObject { ["type"] = "number" },
                "Boolean" => new JsonObject { ["type"] = "boolean" },
                _ => new JsonObject { [Comparison.Unknown] = true },
            };

    /// <summary>Whether a value of one type may be of the other.</summary>
    public bool MayBe(string type, string other) => type == other || Possible(type).Intersect(Possible(other)).Any();

    /// <summary>Returns the object types that a value of a type may have.</summary>
    private List<string> Possible(string type) => _unions.GetValueOrDefault(type) ?? _implementations.GetValueOrDefault(type) ?? [type];

    private void Add(string type, GraphQLFieldsDefinition? fields, GraphQLImplementsInterfaces? interfaces)
    {
        var known = _objects.TryGetValue(type, out var found) ? found : _objects[type] = [];
        foreach (var field in fields?.Items ?? [])
        {
            known[field.Name.StringValue] = field;
        }

        foreach (var name in interfaces?.Items.Select(i => i.Name.StringValue) ?? [])
        {
            Of(_implementations, name).Add(type);
        }
    }

    private void Add(string type, GraphQLInputFieldsDefinition? fields)
    {
        var known = _inputs.TryGetValue(type, out var found) ? found : _inputs[type] = [];
        foreach (var field in fields?.Items ?? [])
        {
            known[field.Name.StringValue] = field;
        }
    }

    private static List<string> Of(Dictionary<string, List<string>> of, string name) =>
        of.TryGetValue(name, out var found) ? found : of[name] = [];
}
