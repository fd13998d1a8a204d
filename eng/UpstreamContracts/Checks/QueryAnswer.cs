using System.Text.Json.Nodes;
using GraphQLParser.AST;

namespace Bff.UpstreamContracts.Checks;

/// <summary>
/// Builds the JSON Schema of a query's data from a service's schema, and reports fields and arguments that the schema does not have or
/// defines otherwise.
/// </summary>
internal sealed class QueryAnswer(
    SdlSchema schema,
    IReadOnlyDictionary<string, GraphQLFragmentDefinition> fragments,
    IReadOnlyDictionary<string, GraphQLVariableDefinition> variables,
    Action<string, string> tell
)
{
    public JsonObject? Of(GraphQLOperationDefinition operation) => Object(schema.Root(operation.Operation), operation.SelectionSet);

    private JsonObject Object(string type, GraphQLSelectionSet selections)
    {
        var (members, required) = (new JsonObject(), new JsonArray());
        Select(type, selections, members, required, isAlways: true);
        return new()
        {
            ["type"] = "object",
            ["properties"] = members,
            ["required"] = required,
        };
    }

    private void Select(string type, GraphQLSelectionSet selections, JsonObject members, JsonArray required, bool isAlways)
    {
        foreach (var selection in selections.Selections)
        {
            switch (selection)
            {
                case GraphQLField field:
                    var name = (field.Alias?.Name ?? field.Name).StringValue;
                    if (Value(type, field) is { } value && members[name] is null)
                    {
                        members[name] = value;
                        if (isAlways && field.Directives is not { Count: > 0 })
                        {
                            required.Add(name);
                        }
                    }

                    break;
                case GraphQLInlineFragment inline:
                    var narrowed = inline.TypeCondition?.Type.Name.StringValue ?? type;
                    Narrow(type, narrowed);
                    Select(narrowed, inline.SelectionSet, members, required, isAlways && narrowed == type);
                    break;
                case GraphQLFragmentSpread spread when fragments.TryGetValue(spread.FragmentName.Name.StringValue, out var fragment):
                    var of = fragment.TypeCondition.Type.Name.StringValue;
                    Narrow(type, of);
                    Select(of, fragment.SelectionSet, members, required, isAlways && of == type);
                    break;
            }
        }
    }

    private void Narrow(string type, string narrowed)
    {
        if (!schema.MayBe(type, narrowed))
        {
            tell($"{type} can no longer be {narrowed}", "asks for it");
        }
    }

    private JsonObject? Value(string type, GraphQLField field)
    {
        var name = field.Name.StringValue;
        if (name == "__typename")
        {
            return new JsonObject { ["type"] = "string" };
        }

        if (schema.Field(type, name) is not { } defined)
        {
            tell($"{type}.{name} is gone", "needs it");
            return null;
        }

        Arguments($"{type}.{name}", field, defined);
        return Value(defined.Type, field.SelectionSet);
    }

    private JsonObject Value(GraphQLType type, GraphQLSelectionSet? selections) =>
        type is GraphQLNonNullType some
            ? Core(some.Type, selections)
            : new() { ["oneOf"] = new JsonArray(new JsonObject { ["type"] = "null" }, Core(type, selections)) };

    private JsonObject Core(GraphQLType type, GraphQLSelectionSet? selections)
    {
        if (type is GraphQLListType list)
        {
            return new JsonObject { ["type"] = "array", ["items"] = Value(list.Type, selections) };
        }

        var name = ((GraphQLNamedType)type).Name.StringValue;
        if (selections is not null)
        {
            return Object(name, selections);
        }

        return schema.Simple(name);
    }

    private void Arguments(string of, GraphQLField field, GraphQLFieldDefinition defined)
    {
        var given = field.Arguments?.Items.ToDictionary(a => a.Name.StringValue, a => a.Value) ?? [];
        var taken = defined.Arguments?.Items.ToDictionary(a => a.Name.StringValue) ?? [];
        foreach (var (name, value) in given)
        {
            if (!taken.TryGetValue(name, out var argument))
            {
                tell($"the argument {name} of {of} is gone", "sends it");
            }
            else if (
                value is GraphQLVariable variable
                && variables.TryGetValue(variable.Name.StringValue, out var declared)
                && !Takes(
                    argument.Type,
                    declared.Type,
                    argument.DefaultValue is not null || declared.DefaultValue is not (null or GraphQLNullValue)
                )
            )
            {
                tell($"the argument {name} of {of} is now {Text(argument.Type)}, sent as {Text(declared.Type)}", "sends it");
            }
        }

        foreach (var (name, argument) in taken.Where(a => !given.ContainsKey(a.Key)))
        {
            if (argument is { Type: GraphQLNonNullType, DefaultValue: null })
            {
                tell($"{of} now needs the argument {name}", "does not send it");
            }
        }
    }

    /// <summary>Whether a variable may be used for an argument (GraphQL, "All Variable Usages Are Allowed").</summary>
    private static bool Takes(GraphQLType argument, GraphQLType variable, bool hasDefault) =>
        (argument, variable) switch
        {
            (GraphQLNonNullType wanted, GraphQLNonNullType some) => Takes(wanted.Type, some.Type, false),
            (GraphQLNonNullType wanted, _) => hasDefault && Takes(wanted.Type, variable, false),
            (_, GraphQLNonNullType some) => Takes(argument, some.Type, false),
            (GraphQLListType wanted, GraphQLListType list) => Takes(wanted.Type, list.Type, false),
            (GraphQLNamedType wanted, GraphQLNamedType named) => wanted.Name.StringValue == named.Name.StringValue,
            _ => false,
        };

    private static string Text(GraphQLType type) =>
        type switch
        {
            GraphQLNonNullType some => Text(some.Type) + "!",
            GraphQLListType list => $"[{Text(list.Type)}]",
            GraphQLNamedType named => named.Name.StringValue,
            _ => "",
        };
}
