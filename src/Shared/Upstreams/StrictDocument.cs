using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Bff.Edge;

namespace Bff.Upstreams;

/// <summary>
/// Reads services' documents more strictly than the serializer. A document is invalid if it has a null entry in a list or map that the
/// host's record declares without <c>?</c>, a raw element with invalid text, a number too large for its type, or a cursor that no client
/// could send back (<see cref="ServiceCursorAttribute"/>). Members that the record does not declare are skipped. The members to check are
/// determined once per type.
/// </summary>
internal static class StrictDocument
{
    private static readonly ConditionalWeakTable<JsonSerializerOptions, JsonSerializerOptions> Strict = [];
    private static readonly ConditionalWeakTable<JsonTypeInfo, JsonTypeInfo> Types = [];

    /// <summary>Reads the document; null if it is the literal null.</summary>
    /// <exception cref="JsonException">The document is invalid.</exception>
    public static T? Read<T>(ReadOnlySpan<byte> utf8, JsonTypeInfo<T> type)
    {
        var value = JsonSerializer.Deserialize(
            utf8,
            (JsonTypeInfo<T>)Types.GetValue(type, static loose => OptionsOf(loose.Options).GetTypeInfo(loose.Type))
        );
        if (value is IEnumerable entries and not string && type.Kind is JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary)
        {
            EntriesAreThere(value);
        }

        return value;
    }

    private static JsonSerializerOptions OptionsOf(JsonSerializerOptions loose) =>
        Strict.GetValue(
            loose,
            static options => new JsonSerializerOptions(options)
            {
                TypeInfoResolver = options.TypeInfoResolver!.WithAddedModifier(Tighten),
                Converters = { FiniteNumbers.Instance },
            }
        );

    private static void Tighten(JsonTypeInfo info)
    {
        if (info.Kind != JsonTypeInfoKind.Object)
        {
            return;
        }

        List<(Func<object, object?> Get, Action<object> Check)>? checks = null;
        foreach (var member in info.Properties)
        {
            if (member is { Get: { } get, AttributeProvider: PropertyInfo property } && CheckOf(property) is { } check)
            {
                (checks ??= []).Add((get, check));
            }
        }

        if (checks is not null)
        {
            var before = info.OnDeserialized;
            info.OnDeserialized = document =>
            {
                before?.Invoke(document);
                foreach (var (get, check) in checks)
                {
                    if (get(document) is { } value)
                    {
                        check(value);
                    }
                }
            };
        }
    }

    private static Action<object>? CheckOf(PropertyInfo property)
    {
        var declared = new NullabilityInfoContext().Create(property);
        if (!property.IsDefined(typeof(ServiceCursorAttribute)))
        {
            return CheckOf(declared);
        }

        var mayBeEmpty = declared.ReadState == NullabilityState.Nullable;
        return value => ServiceCursorAttribute.Checked((string)value, mayBeEmpty);
    }

    /// <summary>Returns the check of a value; null if there is nothing to check.</summary>
    private static Action<object>? CheckOf(NullabilityInfo declared)
    {
        var type = Nullable.GetUnderlyingType(declared.Type) ?? declared.Type;
        if (type == typeof(JsonElement))
        {
            return static value => TextsAreTexts((JsonElement)value);
        }

        if (type == typeof(string) || !type.IsAssignableTo(typeof(IEnumerable)) || EntryOf(declared) is not { } entry)
        {
            return null;
        }

        var inner = CheckOf(entry);
        var mayBeNull = entry.Type.IsValueType || entry.ReadState == NullabilityState.Nullable;
        return (inner, mayBeNull) switch
        {
            (null, true) => null,
            (null, false) => EntriesAreThere,
            _ => value =>
            {
                foreach (var item in Entries(value))
                {
                    if (item is not null)
                    {
                        inner(item);
                    }
                    else if (!mayBeNull)
                    {
                        throw new JsonException("A list or map has a null entry.");
                    }
                }
            },
        };
    }

    /// <summary>Returns the declared type of the entries of a list or map.</summary>
    private static NullabilityInfo? EntryOf(NullabilityInfo declared) =>
        declared.ElementType ?? (declared.GenericTypeArguments is { Length: > 0 } arguments ? arguments[^1] : null);

    private static void EntriesAreThere(object value)
    {
        foreach (var entry in Entries(value))
        {
            if (entry is null)
            {
                throw new JsonException("A list or map has a null entry.");
            }
        }
    }

    private static IEnumerable Entries(object value) => value is IDictionary map ? map.Values : (IEnumerable)value;

    private static void TextsAreTexts(JsonElement element)
    {
        try
        {
            JsonTexts.Check(element);
        }
        catch (InvalidOperationException broken)
        {
            throw new JsonException("A text is none.", broken);
        }
    }

    /// <summary>
    /// Rejects a number such as <c>1e400</c>, which would be read as infinity. JSON has no such number, so the answer could not be written.
    /// </summary>
    private sealed class FiniteNumbers : JsonConverter<double>
    {
        public static readonly FiniteNumbers Instance = new();

        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDouble() is var number && double.IsFinite(number) ? number : throw new JsonException("A number is too large.");

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }
}
