using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Bff.UpstreamContracts.Declared;

/// <summary>
/// Builds the JSON Schema of what a host's records read and write. The serializer's rules tell whether a member is required and may be
/// null. Entries of lists and maps may be null where the record says so, because the gateway refuses other nulls.
/// </summary>
/// <param name="contexts">The host's own source-generated contexts.</param>
/// <param name="components">Receives the objects' schemas, under their names.</param>
internal sealed class Schemas(IReadOnlyList<JsonSerializerContext> contexts, JsonObject components)
{
    private readonly Dictionary<(Type, bool), string> _names = [];

    /// <summary>Returns the schema of an answer, or of a body that is sent.</summary>
    /// <param name="type">The record.</param>
    /// <param name="near">A namespace whose context is searched first.</param>
    /// <param name="sent">Whether the host writes it.</param>
    public JsonObject Of(Type type, string? near, bool sent)
    {
        var context =
            contexts.OrderByDescending(c => c.GetType().Namespace == near).FirstOrDefault(c => c.GetTypeInfo(type) is not null)
            ?? throw new WrongInputException($"No context of the host has [JsonSerializable(typeof({type.Name}))].");
        return Value(type, null, context.Options, sent);
    }

    private JsonObject Value(Type type, NullabilityInfo? declared, JsonSerializerOptions options, bool sent)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (ReadFrom(type) is { } read)
        {
            return Value(read, null, options, sent);
        }

        if (Simple(type) is { } simple)
        {
            return simple;
        }

        if (type.IsEnum)
        {
            return Values(type, options);
        }

        if ((EntryOf(type, typeof(IReadOnlyDictionary<,>)) ?? EntryOf(type, typeof(IDictionary<,>))) is { } value)
        {
            return new() { ["type"] = "object", ["additionalProperties"] = Entry(value, Argument(declared), options, sent) };
        }

        if (EntryOf(type, typeof(IEnumerable<>)) is { } item)
        {
            return new() { ["type"] = "array", ["items"] = Entry(item, declared?.ElementType ?? Argument(declared), options, sent) };
        }

        return new() { ["$ref"] = "#/components/schemas/" + Named(type, options, sent) };
    }

    private JsonObject Entry(Type type, NullabilityInfo? declared, JsonSerializerOptions options, bool sent) =>
        OrNull(
            Value(type, declared, options, sent),
            Nullable.GetUnderlyingType(type) is not null || (!type.IsValueType && declared?.ReadState == NullabilityState.Nullable)
        );

    private string Named(Type type, JsonSerializerOptions options, bool sent)
    {
        if (_names.TryGetValue((type, sent), out var known))
        {
            return known;
        }

        var name = Name(type);
        name = components.ContainsKey(name) ? name + (sent ? "Sent" : _names.Count) : name;
        _names[(type, sent)] = name;
        var schema = new JsonObject { ["type"] = "object" };
        components[name] = schema;
        var (required, members) = (new JsonArray(), new JsonObject());
        foreach (var member in Members(type, options, sent))
        {
            if (member.IsRequired)
            {
                required.Add(member.Name);
            }

            members[member.Name] = OrNull(Value(member.Type, member.Declared, options, sent), member.IsNullable);
        }

        if (required.Count > 0)
        {
            schema["required"] = required;
        }

        schema["properties"] = members;
        return name;
    }

    private static IEnumerable<Member> Members(Type type, JsonSerializerOptions options, bool sent)
    {
        var info = options.TryGetTypeInfo(type, out var found) ? found : null;
        if (info?.Kind != JsonTypeInfoKind.Object)
        {
            return Parameters(type, options);
        }

        return info
            .Properties.Where(p => sent ? p.Get is not null : p.Set is not null || p.AssociatedParameter is not null)
            .Select(p =>
            {
                var declared = p.AttributeProvider is PropertyInfo property ? new NullabilityInfoContext().Create(property) : null;
                var isNullable =
                    p.PropertyType.IsValueType ? Nullable.GetUnderlyingType(p.PropertyType) is not null
                    : sent ? p.IsGetNullable
                    : p.IsSetNullable;
                var isLeftOut =
                    isNullable && (options.DefaultIgnoreCondition == JsonIgnoreCondition.WhenWritingNull || p.ShouldSerialize is not null);
                return sent
                    ? new Member(p.Name, p.PropertyType, declared, !isLeftOut, isNullable && !isLeftOut)
                    : new Member(p.Name, p.PropertyType, declared, p.IsRequired, isNullable);
            });
    }

    // A hand-written reader reads the record's parameters and takes an absent member for null.
    private static IEnumerable<Member> Parameters(Type type, JsonSerializerOptions options) =>
        type.GetConstructors()
            .MaxBy(c => c.GetParameters().Length)!
            .GetParameters()
            .Select(p =>
            {
                var declared = new NullabilityInfoContext().Create(p);
                var isNullable = declared.WriteState == NullabilityState.Nullable;
                return new Member(
                    options.PropertyNamingPolicy?.ConvertName(p.Name!) ?? p.Name!,
                    p.ParameterType,
                    declared,
                    !isNullable && !p.HasDefaultValue,
                    isNullable
                );
            });

    private static JsonObject Values(Type type, JsonSerializerOptions options)
    {
        var values = Enum.GetValuesAsUnderlyingType(type)
            .Cast<object>()
            .Select(v => JsonSerializer.SerializeToNode(Enum.ToObject(type, v), options.GetTypeInfo(type)))
            .ToArray();
        return values.All(v => v?.GetValueKind() == JsonValueKind.String)
            ? new() { ["type"] = "string", ["enum"] = new JsonArray(values) }
            : new() { ["type"] = "integer", ["format"] = "int32" };
    }

    private static JsonObject? Simple(Type type) =>
        Type.GetTypeCode(type.IsEnum ? typeof(object) : type) switch
        {
            TypeCode.String or TypeCode.Char => new() { ["type"] = "string" },
            TypeCode.Boolean => new() { ["type"] = "boolean" },
            TypeCode.DateTime => new() { ["type"] = "string", ["format"] = "date-time" },
            TypeCode.Int64 or TypeCode.UInt32 or TypeCode.UInt64 => new() { ["type"] = "integer", ["format"] = "int64" },
            >= TypeCode.SByte and <= TypeCode.Int32 => new() { ["type"] = "integer", ["format"] = "int32" },
            TypeCode.Single or TypeCode.Double or TypeCode.Decimal => new() { ["type"] = "number" },
            _ when type == typeof(DateTimeOffset) => new() { ["type"] = "string", ["format"] = "date-time" },
            _ when type == typeof(DateOnly) => new() { ["type"] = "string", ["format"] = "date" },
            _ when type == typeof(TimeOnly) => new() { ["type"] = "string", ["format"] = "time" },
            _ when type == typeof(Guid) => new() { ["type"] = "string", ["format"] = "uuid" },
            _ when type == typeof(TimeSpan) || type == typeof(Uri) || type == typeof(byte[]) => new() { ["type"] = "string" },
            _ when type == typeof(object)
                    || type == typeof(JsonElement)
                    || type == typeof(JsonDocument)
                    || type.IsAssignableTo(typeof(JsonNode)) => [],
            _ => null,
        };

    /// <summary>Returns the schema of a parameter of a path, a query or a header.</summary>
    public static JsonObject OfParameter(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return Simple(type)
            ?? (
                EntryOf(type, typeof(IEnumerable<>)) is { } item
                    ? new() { ["type"] = "array", ["items"] = OfParameter(item) }
                    : new() { ["type"] = "string" }
            );
    }

    private static JsonObject OrNull(JsonObject schema, bool isNullable)
    {
        if (!isNullable || schema.Count == 0)
        {
            return schema;
        }

        if (schema["type"] is not { } type || schema["enum"] is not null)
        {
            return new JsonObject { ["oneOf"] = new JsonArray(new JsonObject { ["type"] = "null" }, schema) };
        }

        schema["type"] = new JsonArray("null", type.DeepClone());
        return schema;
    }

    private static Type? EntryOf(Type type, Type generic) =>
        type.GetInterfaces()
            .Append(type)
            .FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == generic)
            ?.GetGenericArguments()[^1];

    private static NullabilityInfo? Argument(NullabilityInfo? declared) =>
        declared is { GenericTypeArguments: [.., var last] } ? last : null;

    private static Type? ReadFrom(Type type) =>
        type.CustomAttributes.FirstOrDefault(a => a.AttributeType.FullName == "Bff.Upstreams.ReadFromAttribute")
            ?.ConstructorArguments[0]
            .Value as Type;

    private static string Name(Type type) =>
        type.IsGenericType ? type.Name.Split('`')[0] + string.Concat(type.GetGenericArguments().Select(Name)) : type.Name;

    private sealed record Member(string Name, Type Type, NullabilityInfo? Declared, bool IsRequired, bool IsNullable);
}
