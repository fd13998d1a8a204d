using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Bff.UpstreamContracts;
using Bff.UpstreamContracts.Checks;
using Bff.UpstreamContracts.Declared;
using GraphQLParser.AST;

namespace Architecture.Tests.Contracts;

/// <summary>
/// The build writes <c>contracts/upstreams/</c> from the declarations of the hosts. These tests compare it with the hosts and with the
/// documents of the sample services.
/// </summary>
public sealed class UpstreamContractTests
{
    private static readonly string Contracts = Path.Combine(Source.Root, "contracts");
    private static readonly string Documents = Path.Combine(Source.Root, "dev/Upstreams/Contracts");

    public static TheoryData<string> Hosts => new(Source.Hosts);

    public static TheoryData<string> Services =>
        new(
            Directory
                .EnumerateFiles(Path.Combine(Contracts, "upstreams"), "*.json", SearchOption.AllDirectories)
                .Select(f => Path.GetFileNameWithoutExtension(f))
                .Distinct()
                .Order(StringComparer.Ordinal)
        );

    [Theory]
    [MemberData(nameof(Hosts))]
    public void The_committed_contract_is_what_the_host_declares(string host)
    {
        var folder = Path.Combine(Contracts, "upstreams", host);
        var declared = ContractFiles.Of(Contracts, Source.Load(host));

        Assert.NotEmpty(declared);
        Assert.Equal(
            declared.Keys.Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(folder).Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)
        );
        Assert.All(
            declared,
            contract =>
                Assert.True(
                    contract.Value == File.ReadAllText(Path.Combine(folder, contract.Key + ".json")),
                    $"Run eng/upstream-contracts and commit contracts/upstreams/{host}/{contract.Key}.json."
                )
        );
    }

    /// <summary>Every call belongs to an endpoint, so that a break can be reported to its team.</summary>
    [Theory]
    [MemberData(nameof(Hosts))]
    public void Every_call_names_the_endpoints_that_make_it(string host)
    {
        var calls = ContractFiles
            .Of(Contracts, Source.Load(host))
            .Values.Select(c => JsonNode.Parse(c)!)
            .SelectMany(c =>
                c["paths"]!
                    .AsObject()
                    .SelectMany(p => p.Value!.AsObject())
                    .SelectMany(o => o.Value!["x-calls"]!.AsArray())
                    .Concat(c["x-graphql"]?.AsArray() ?? [])
                    .Concat(c["x-grpc"]?.AsArray() ?? [])
            )
            .ToList();

        Assert.NotEmpty(calls);
        Assert.Empty(calls.Where(c => c!["endpoints"]!.AsArray().Count == 0).Select(c => (string?)c!["method"]));
    }

    [Fact]
    public void A_call_is_followed_through_helpers_closures_and_generics()
    {
        var orders = JsonNode.Parse(ContractFiles.Of(Contracts, Source.Load("PartnerBff"))["orders"])!;

        Assert.Equal("""["batch","place-order"]""", orders["paths"]!["/orders"]!["post"]!["x-calls"]![0]!["endpoints"]!.ToJsonString());
    }

    /// <summary>A hand-written reader reads what the contract says it needs, and refuses a document that lacks any of it.</summary>
    [Fact]
    public void Hand_written_readers_read_what_the_contract_says()
    {
        var components = new JsonObject();
        var contexts = HostReads.Of(Source.Load("MobileBff")).Contexts;
        var byHand = Source
            .Load("MobileBff")
            .GetTypes()
            .Where(t => t.Namespace == "MobileBff.Upstreams" && t.IsDefined(typeof(JsonConverterAttribute), false))
            .ToList();
        Assert.NotEmpty(byHand);
        foreach (var type in byHand)
        {
            var name = ((string)new Schemas(contexts, components).Of(type, type.Namespace, sent: false)["$ref"]!).Split('/')[^1];
            var read = contexts.Select(c => c.GetTypeInfo(type)).First(i => i is not null)!;
            var document = Example(new JsonObject { ["$ref"] = "#/components/schemas/" + name }, components)!.AsObject();
            Read(document);
            foreach (var (member, schema) in components[name]!["properties"]!.AsObject())
            {
                var isRequired = components[name]!["required"]!.AsArray().Any(r => (string?)r == member);
                var (without, withNull) = (document.DeepClone().AsObject(), document.DeepClone().AsObject());
                without.Remove(member);
                withNull[member] = null;
                Assert.Equal((type, member, isRequired), (type, member, Refuses(without)));
                Assert.Equal((type, member, schema!["type"] is not JsonArray), (type, member, Refuses(withNull)));
            }

            void Read(JsonObject text) => JsonSerializer.Deserialize(text.ToJsonString(), read);

            bool Refuses(JsonObject text)
            {
                try
                {
                    Read(text);
                    return false;
                }
                catch (Exception refused) when (refused is JsonException or InvalidOperationException)
                {
                    return true;
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void The_sample_service_breaks_no_gateway(string service)
    {
        var document =
            service == "catalog"
                ? Path.Combine(Contracts, "catalog.v1.proto")
                : Directory.EnumerateFiles(Documents, service + ".*").Single();

        Assert.Empty(ServiceCheck.Run(Path.Combine(Contracts, "upstreams"), service, document));
    }

    /// <summary>The sample service answers each read as its document says.</summary>
    [Fact]
    public async Task The_sample_services_answer_as_their_documents_say()
    {
        await using var surroundings = await Surroundings.StartAsync();
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("X-Tenant-Id", "acme");
        var asked = 0;
        foreach (var file in Directory.EnumerateFiles(Documents, "*.yaml"))
        {
            var address = surroundings.Services.Addresses[Path.GetFileNameWithoutExtension(file)];
            var text = OpenApiFile.Read(await File.ReadAllTextAsync(file));
            foreach (var (path, item) in text["paths"]!.AsObject().Where(p => p.Value!["get"] is not null))
            {
                var target = Target(path, item!, text);
                using var answer = await client.GetAsync(new Uri(address, target));
                var body = await answer.Content.ReadAsStringAsync();
                Assert.True((int)answer.StatusCode == 200, $"{target}: {(int)answer.StatusCode} {body}");
                var content = Shape.Follow(item!["get"]!["responses"]!["200"]!, text).Target["content"]!;
                Assert.True(
                    content[answer.Content.Headers.ContentType!.MediaType!] is not null,
                    $"{target}: {answer.Content.Headers.ContentType}"
                );
                if (content["application/json"]?["schema"] is { } schema)
                {
                    var errors = (await NJsonSchema.JsonSchema.FromJsonAsync(Whole(schema, text)!.ToJsonString())).Validate(body);
                    Assert.True(errors.Count == 0, $"{target}: {string.Join(", ", errors)}");
                }

                asked++;
            }
        }

        Assert.True(asked > 10);
    }

    [Fact]
    public async Task The_sample_prices_have_the_schema_that_their_document_says()
    {
        await using var surroundings = await Surroundings.StartAsync();
        using var client = new HttpClient();
        const string Query =
            """{"query":"{ __schema { types { name fields { name args { name type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }"}""";
        using var answer = await client.PostAsync(
            new Uri(surroundings.Services.Addresses["pricing"], "/graphql"),
            new StringContent(Query, Encoding.UTF8, "application/json")
        );
        var types = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["data"]!["__schema"]!["types"]!.AsArray();
        var served = types
            .Where(t => !((string)t!["name"]!).StartsWith("__", StringComparison.Ordinal) && t["fields"] is not null)
            .SelectMany(t => t!["fields"]!.AsArray().Select(f => $"{t["name"]}.{f!["name"]}{Arguments(f)}: {Sdl(f["type"]!)}"))
            .Order(StringComparer.Ordinal);
        var written = GraphQLParser
            .Parser.Parse(await File.ReadAllTextAsync(Path.Combine(Documents, "pricing.graphql")))
            .Definitions.OfType<GraphQLObjectTypeDefinition>()
            .SelectMany(t =>
                t.Fields!.Select(f =>
                    $"{t.Name.StringValue}.{f.Name.StringValue}{(f.Arguments is { Count: > 0 } a ? $"({string.Join(", ", a.Select(x => $"{x.Name.StringValue}: {Sdl(x.Type)}"))})" : "")}: {Sdl(f.Type)}"
                )
            )
            .Order(StringComparer.Ordinal);

        Assert.Equal(written, served);

        static string Arguments(JsonNode field) =>
            field["args"]!.AsArray() is { Count: > 0 } given
                ? $"({string.Join(", ", given.Select(a => $"{a!["name"]}: {Sdl(a["type"]!)}"))})"
                : "";
    }

    /// <summary>Replaces references by what they point at; the schemas of these documents do not contain themselves.</summary>
    private static JsonNode? Whole(JsonNode? schema, JsonNode document) =>
        schema switch
        {
            JsonObject members when members["$ref"] is JsonValue => Whole(Shape.Follow(members, document).Target, document),
            JsonObject members => new JsonObject(members.Select(m => KeyValuePair.Create(m.Key, Whole(m.Value, document)))),
            JsonArray list => new JsonArray([.. list.Select(i => Whole(i, document))]),
            _ => schema?.DeepClone(),
        };

    private static string Sdl(JsonNode type) =>
        (string)type["kind"]! switch
        {
            "NON_NULL" => Sdl(type["ofType"]!) + "!",
            "LIST" => $"[{Sdl(type["ofType"]!)}]",
            _ => (string)type["name"]!,
        };

    private static string Sdl(GraphQLType type) =>
        type switch
        {
            GraphQLNonNullType some => Sdl(some.Type) + "!",
            GraphQLListType list => $"[{Sdl(list.Type)}]",
            _ => ((GraphQLNamedType)type).Name.StringValue,
        };

    /// <summary>Returns the path with the example values of the document.</summary>
    private static string Target(string path, JsonNode item, JsonNode document)
    {
        var query = new List<string>();
        foreach (
            var parameter in Shape
                .List(item["parameters"])
                .Concat(Shape.List(item["get"]!["parameters"]))
                .Select(p => Shape.Follow(p, document).Target)
                .Where(p => p["example"] is not null)
        )
        {
            var (name, value) = ((string)parameter["name"]!, (string)parameter["example"]!);
            if ((string)parameter["in"]! == "path")
            {
                path = path.Replace($"{{{name}}}", value, StringComparison.Ordinal);
            }
            else
            {
                query.Add($"{name}={value}");
            }
        }

        return path + (query.Count > 0 ? "?" + string.Join('&', query) : "");
    }

    private static JsonNode? Example(JsonNode schema, JsonObject components)
    {
        schema = (string?)schema["$ref"] is { } reference ? components[reference.Split('/')[^1]]! : schema;
        return (schema["type"] is JsonArray several ? (string)several[1]! : (string)schema["type"]!) switch
        {
            "object" => new JsonObject(
                schema["properties"]!.AsObject().Select(p => KeyValuePair.Create(p.Key, Example(p.Value!, components)))
            ),
            "array" => new JsonArray(Example(schema["items"]!, components)),
            "integer" => 1,
            "number" => 1.5,
            "boolean" => true,
            _ => (string?)schema["format"] == "date-time" ? "2026-01-02T03:04:05Z" : "text",
        };
    }
}
