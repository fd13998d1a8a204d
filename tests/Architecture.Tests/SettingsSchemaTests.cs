using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Architecture.Tests;

/// <summary>
/// The schemas say what the code declares, and the shipped files are valid. <c>BFF_UPDATE_GOLDEN=1</c> rewrites the schemas.
/// </summary>
[Collection(RealHostsCollection.Name)]
public sealed class SettingsSchemaTests(RealHosts hosts)
{
    public static TheoryData<string> Hosts => [.. Source.Hosts];

    public static TheoryData<string, string> Files
    {
        get
        {
            var files = new TheoryData<string, string>();
            foreach (var host in Source.Hosts)
            {
                files.Add(host, $"src/{host}/appsettings.json");
                files.Add(host, $"src/{host}/appsettings.Development.json");
                files.Add(
                    host,
                    $"deploy/kubernetes/overlays/{host.Replace("Bff", "", StringComparison.Ordinal).ToLowerInvariant()}/settings.json"
                );
            }

            return files;
        }
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public void The_schema_is_what_the_code_declares(string host)
    {
        var file = Path.Combine(Source.Root, Schema(host));
        var schema = new SettingsSchema(hosts.Services).Write(host);
        if (Environment.GetEnvironmentVariable("BFF_UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, schema);
        }

        Assert.Equal(schema, File.ReadAllText(file));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_shipped_file_names_its_schema_and_is_valid(string host, string file)
    {
        var path = Path.Combine(Source.Root, file);
        var settings = JsonNode.Parse(File.ReadAllText(path))!;

        Assert.Equal(Path.Combine(Source.Root, Schema(host)), Path.GetFullPath((string)settings["$schema"]!, Path.GetDirectoryName(path)!));
        Assert.Empty(Mistakes(settings, JsonNode.Parse(new SettingsSchema(hosts.Services).Write(host))!, ""));
    }

    [Fact]
    public void A_misspelt_key_a_wrong_type_and_a_wrong_name_are_invalid()
    {
        var schema = JsonNode.Parse(new SettingsSchema(hosts.Services).Write("WebBff"))!;
        var settings = JsonNode.Parse(
            """
            { "Sesion": { "ClientId": "web" }, "Limits": { "Mode": "Roughly" },
              "Upstreams": { "orders": { "Timeout": "soon", "Retries": 9, "Http2": true } },
              "Authentication": { "Schemes": { "Bearer": { "ValidAudiences": "bff", "ValidIssuers": [ "one" ] } } } }
            """
        )!;

        Assert.Equal(
            ["/Limits/Mode", "/Sesion", "/Upstreams/orders/Retries", "/Upstreams/orders/Timeout"],
            Mistakes(settings, schema, "").Order(StringComparer.Ordinal)
        );
    }

    private static string Schema(string host) => $"schemas/appsettings.{host}.json";

    /// <summary>Checks a value against the part of JSON Schema that the schemas use.</summary>
    private static IEnumerable<string> Mistakes(JsonNode? value, JsonNode schema, string at)
    {
        if (schema is JsonValue)
        {
            return schema.GetValue<bool>() ? [] : [at];
        }

        if (schema["anyOf"] is JsonArray forms)
        {
            return forms.Select(form => Mistakes(value, form!, at).ToList()).MinBy(m => m.Count)!;
        }

        if (schema["enum"] is JsonArray names)
        {
            return names.Any(n => JsonNode.DeepEquals(n, value)) ? [] : [at];
        }

        return ((string?)schema["type"], value) switch
        {
            (null, _) => [],
            ("object", JsonObject section) => section.SelectMany(m =>
                Mistakes(m.Value, schema["properties"]?[m.Key] ?? schema["additionalProperties"]!, $"{at}/{m.Key}")
            ),
            ("array", JsonArray list) => list.SelectMany((item, i) => Mistakes(item, schema["items"]!, $"{at}/{i}")),
            ("string", _) when value?.GetValueKind() == JsonValueKind.String => schema["pattern"] is { } pattern
            && !Regex.IsMatch((string)value!, (string)pattern!)
                ? [at]
                : [],
            ("boolean", _) when value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False => [],
            ("integer" or "number", _) when value?.GetValueKind() == JsonValueKind.Number => (double)value! < (double?)schema["minimum"]
            || (double)value! > (double?)schema["maximum"]
                ? [at]
                : [],
            _ => [at],
        };
    }
}
