using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>One key of the configuration, as declared by a settings type.</summary>
public sealed class Setting
{
    private delegate bool Reader(string text, out object? value);

    private static readonly ConcurrentDictionary<Type, Setting[]> Known = new();

    private readonly Reader? _read;

    private Setting(Type settings, PropertyInfo member, SettingAttribute declared)
    {
        Member = member;
        Declared = declared;
        Key = declared.Key ?? member.Name;
        var section = settings.GetCustomAttribute<SettingsAttribute>();
        Path = section is { Path.Length: > 0 } ? $"{section.Path}:{Key}" : Key;
        IsAtStart = declared.AtStart || section is { AtStart: true };
        IsList = declared.Range is null && member.PropertyType.IsArray;
        var kind = member.PropertyType.GetElementType() ?? member.PropertyType;
        (Range, _read) = declared.Range is null ? ReaderOf(Nullable.GetUnderlyingType(kind) ?? kind, declared) : (declared.Range, null);
    }

    /// <summary>The member that the key sets.</summary>
    public PropertyInfo Member { get; }

    /// <summary>The attribute of the member.</summary>
    public SettingAttribute Declared { get; }

    /// <summary>The key below the section.</summary>
    public string Key { get; }

    /// <summary>The whole key, with names in angle brackets.</summary>
    public string Path { get; }

    /// <summary>The accepted values in words.</summary>
    public string Range { get; }

    /// <summary>Whether an edit takes effect only at the next start, even when the section is reloaded before.</summary>
    public bool IsAtStart { get; }

    /// <summary>Whether the setting is a list with keys <c>0</c>, <c>1</c>, ...</summary>
    public bool IsList { get; }

    /// <summary>All keys that the setting is read from, its own first.</summary>
    public IEnumerable<string> Paths =>
        [
            IsList ? Path + ":<n>" : Path,
            .. Declared.OrOne ? [Path[..Path.LastIndexOf(':')]] : Array.Empty<string>(),
            .. (Declared.Also ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(key => Path[..^Key.Length] + key),
        ];

    /// <summary>Returns the settings that a type declares, in the order of its members.</summary>
    public static IReadOnlyList<Setting> Of(Type settings) =>
        Known.GetOrAdd(
            settings,
            static type =>
                [
                    .. type.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
                        .SelectMany(member =>
                            member.GetCustomAttributes<SettingAttribute>().Select(declared => new Setting(type, member, declared))
                        ),
                ]
        );

    /// <summary>Returns the settings that all types of an assembly declare.</summary>
    public static IEnumerable<Setting> In(Assembly assembly) => TypesIn(assembly).SelectMany(Of);

    /// <summary>Whether a key is the section or is below it.</summary>
    internal static bool IsBelow(string section, string key) => (key + ":").StartsWith(section + ":", StringComparison.OrdinalIgnoreCase);

    /// <summary>Formats a value as it is written in files: numbers plain, time spans as <c>[d.]hh:mm:ss[.fff]</c>.</summary>
    public static string Write(object? value) =>
        value switch
        {
            TimeSpan span => span.ToString(
                (span.Days > 0 ? @"d\." : "") + @"hh\:mm\:ss" + (span.Milliseconds > 0 ? @"\.fff" : ""),
                CultureInfo.InvariantCulture
            ),
            bool flag => flag ? "true" : "false",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };

    /// <summary>
    /// Finds the settings types in the assembly's metadata. Loading all types would load the packages that they derive from, even in hosts
    /// that do not use those packages.
    /// </summary>
    private static unsafe List<Type> TypesIn(Assembly assembly)
    {
        if (!assembly.TryGetRawMetadata(out var blob, out var length))
        {
            return [.. assembly.GetTypes().Where(static type => type.IsDefined(typeof(SettingsAttribute), inherit: false))];
        }

        var metadata = new MetadataReader(blob, length);
        return
        [
            .. metadata
                .CustomAttributes.Select(metadata.GetCustomAttribute)
                .Where(attribute => attribute.Parent.Kind == HandleKind.TypeDefinition && IsSettings(metadata, attribute.Constructor))
                .Select(attribute => assembly.ManifestModule.ResolveType(MetadataTokens.GetToken(attribute.Parent))),
        ];
    }

    private static bool IsSettings(MetadataReader metadata, EntityHandle constructor)
    {
        var type =
            constructor.Kind == HandleKind.MethodDefinition
                ? metadata.GetMethodDefinition((MethodDefinitionHandle)constructor).GetDeclaringType()
                : metadata.GetMemberReference((MemberReferenceHandle)constructor).Parent;
        var name = type.Kind switch
        {
            HandleKind.TypeDefinition => metadata.GetTypeDefinition((TypeDefinitionHandle)type).Name,
            HandleKind.TypeReference => metadata.GetTypeReference((TypeReferenceHandle)type).Name,
            _ => default, // The constructor of a generic attribute.
        };
        return metadata.StringComparer.Equals(name, nameof(SettingsAttribute));
    }

    internal void Read(IConfiguration section, object settings, ConfigurationMistakes mistakes)
    {
        if (_read is null)
        {
            return;
        }

        if (IsList)
        {
            var read = section
                .GetSection(Key)
                .GetChildren()
                .Select(item => (Good: TryRead(item, Key, mistakes, out var value), Value: value))
                .Where(i => i.Good)
                .ToList();
            if (read.Count > 0)
            {
                var list = Array.CreateInstance(Member.PropertyType.GetElementType()!, read.Count);
                for (var i = 0; i < read.Count; i++)
                {
                    list.SetValue(read[i].Value, i);
                }

                Member.SetValue(settings, list);
            }
        }
        else if (TryRead(section.GetSection(Key), Key, mistakes, out var value))
        {
            Member.SetValue(settings, value);
        }
    }

    private bool TryRead(IConfigurationSection at, string key, ConfigurationMistakes mistakes, out object? value)
    {
        value = null;
        if (at.Value is not { Length: > 0 } text)
        {
            return false;
        }

        if (_read!(text, out value))
        {
            return true;
        }

        mistakes.Add(at.Path, $"'{text}' is not {Range}.");
        return false;
    }

    private static (string Range, Reader Read) ReaderOf(Type kind, SettingAttribute declared)
    {
        if (kind.IsEnum)
        {
            var names = Enum.GetNames(kind);
            return (
                "one of " + string.Join(", ", names),
                (string text, out object? value) =>
                {
                    var name = names.FirstOrDefault(n => n.Equals(text, StringComparison.OrdinalIgnoreCase)); // Numbers are no valid names.
                    value = name is null ? null : Enum.Parse(kind, name);
                    return name is not null;
                }
            );
        }

        return Type.GetTypeCode(kind) switch
        {
            TypeCode.Boolean => ("true or false", Between<bool>(null, null)),
            TypeCode.Int32 => Ranged<int>("a number", declared),
            TypeCode.Int64 => Ranged<long>("a number", declared),
            TypeCode.Double => Ranged<double>("a number", declared),
            TypeCode.String => ("any text", static (string text, out object? value) => (value = text) is not null),
            _ when kind == typeof(TimeSpan) => Ranged<TimeSpan>("a time span", declared),
            _ => throw new NotSupportedException($"A setting of kind {kind} needs a range in words, and a reader of its own."),
        };
    }

    private static (string, Reader) Ranged<T>(string what, SettingAttribute declared)
        where T : struct, IParsable<T>, IComparable<T>
    {
        var (min, max) = (Bound<T>(declared.Min), Bound<T>(declared.Max));
        var range = (min, max) switch
        {
            (null, null) => "",
            (null, _) => $", at most {Write(max)}",
            (_, null) => $", at least {Write(min)}",
            _ => $" from {Write(min)} to {Write(max)}",
        };
        return (what + range, Between(min, max));
    }

    private static T? Bound<T>(object? bound)
        where T : struct, IParsable<T> =>
        bound is null ? null : T.Parse(Convert.ToString(bound, CultureInfo.InvariantCulture)!, CultureInfo.InvariantCulture);

    private static Reader Between<T>(T? min, T? max)
        where T : struct, IParsable<T>, IComparable<T> =>
        (string text, out object? value) =>
        {
            var good =
                T.TryParse(text, CultureInfo.InvariantCulture, out var read) && !(min?.CompareTo(read) > 0) && !(max?.CompareTo(read) < 0);
            value = read;
            return good && !(read is double number && double.IsNaN(number));
        };
}
