using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Architecture.Tests;

/// <summary>
/// Writes schemas/appsettings.&lt;host&gt;.json (JSON Schema 2020-12) from the declarations of the settings types, for editors that
/// complete and check the files. The schemas do not cover keys of the framework and of libraries.
/// </summary>
internal sealed class SettingsSchema(IReadOnlyDictionary<string, IServiceProvider> hosts)
{
    private const string Sandbox = "Sandbox:";
    private static readonly string[] Foreign =
    [
        "$schema",
        "Urls",
        "Logging",
        "Services",
        "Kestrel:Endpoints",
        "Kestrel:Certificates",
        "Kestrel:EndpointDefaults",
    ];
    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string Write(string host)
    {
        var page = new ConfigurationPage(hosts);
        var root = new Level();
        var hasSandbox = hosts[host].GetServices<ConfigurationRead>().Any(r => r.Section.StartsWith(Sandbox, StringComparison.Ordinal));
        foreach (var setting in ConfigurationPage.Settings.Where(s => page.Readers(s).Hosts.Contains(host)))
        {
            foreach (var path in setting.Paths)
            {
                var value = path == setting.Paths.First() ? Value(setting) : Text();
                root.Add(path, value);
                if (hasSandbox && path.StartsWith("Upstreams:", StringComparison.Ordinal))
                {
                    root.Add(Sandbox + path, (JsonObject)value.DeepClone());
                }
            }
        }

        foreach (var key in Foreign)
        {
            root.Add(key, []);
        }

        var schema = root.Write();
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", $"appsettings.json of {host}");
        return schema.ToJsonString(Layout).ReplaceLineEndings("\n") + "\n";
    }

    private static JsonObject Text() => new() { ["type"] = "string" };

    private static JsonObject Value(Setting setting)
    {
        var kind = setting.Member.PropertyType.GetElementType() ?? setting.Member.PropertyType;
        kind = Nullable.GetUnderlyingType(kind) ?? kind;
        var value = setting.Declared.Range is not null ? Text() : Of(kind, setting.Declared);
        value["description"] =
            $"{ConfigurationPage.Meaning(setting)} Default: {ConfigurationPage.Default(setting)}. Accepted: {setting.Range}.".Replace(
                "..",
                ".",
                StringComparison.Ordinal
            );
        return value;
    }

    private static JsonObject Of(Type kind, SettingAttribute declared)
    {
        if (kind.IsEnum)
        {
            return new() { ["enum"] = new JsonArray([.. Enum.GetNames(kind).Select(n => JsonValue.Create(n))]) };
        }

        return Type.GetTypeCode(kind) switch
        {
            TypeCode.Boolean => new() { ["type"] = "boolean" },
            TypeCode.Int32 or TypeCode.Int64 => Bounded("integer", declared),
            TypeCode.Double => Bounded("number", declared),
            _ when kind == typeof(TimeSpan) => new() { ["type"] = "string", ["pattern"] = @"^(\d+\.)?\d{1,2}:\d{2}(:\d{2}(\.\d{1,7})?)?$" },
            _ => Text(),
        };
    }

    private static JsonObject Bounded(string type, SettingAttribute declared)
    {
        var value = new JsonObject { ["type"] = type };
        foreach (var (name, bound) in new[] { ("minimum", declared.Min), ("maximum", declared.Max) })
        {
            if (bound is not null)
            {
                value[name] = JsonNode.Parse(Convert.ToString(bound, CultureInfo.InvariantCulture)!);
            }
        }

        return value;
    }

    /// <summary>A level of keys: its own value, known names, any name, or numbers.</summary>
    private sealed class Level
    {
        private readonly Dictionary<string, Level> _names = new(StringComparer.OrdinalIgnoreCase);
        private JsonObject? _value;
        private Level? _any;
        private Level? _items;

        public void Add(string path, JsonObject value)
        {
            var level = this;
            foreach (var segment in path.Split(':'))
            {
                level = segment switch
                {
                    "<n>" => level._items ??= new(),
                    _ when segment[0] == '<' => level._any ??= new(),
                    _ => level._names.TryGetValue(segment, out var known) ? known : level._names[segment] = new(),
                };
            }

            level._value ??= value;
        }

        public JsonObject Write()
        {
            var forms = new List<JsonObject>();
            if (_value is not null)
            {
                forms.Add(_value);
            }

            if (_items is not null)
            {
                forms.Add(new() { ["type"] = "array", ["items"] = _items.Write() });
            }

            if (_names.Count > 0 || _any is not null)
            {
                forms.Add(Section());
            }

            return forms.Count == 1 ? forms[0] : new() { ["anyOf"] = new JsonArray([.. forms]) };
        }

        private JsonObject Section()
        {
            var section = new JsonObject { ["type"] = "object" };
            if (_names.Count > 0)
            {
                section["properties"] = new JsonObject(
                    _names.OrderBy(n => n.Key, StringComparer.Ordinal).Select(n => KeyValuePair.Create(n.Key, (JsonNode?)n.Value.Write()))
                );
            }

            section["additionalProperties"] = _any?.Write() ?? (JsonNode)false;
            return section;
        }
    }
}
