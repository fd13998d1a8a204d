using Bff.UpstreamContracts;

namespace Architecture.Tests.Contracts;

/// <summary>
/// Tests forms that the sample services lack: old and new forms of <c>.proto</c>, and GraphQL's input types, unions and fragments.
/// </summary>
public sealed class SmallServiceTests : IDisposable
{
    private const string Grpc = """
        {
          "openapi": "3.1.1", "info": { "title": "What TvBff reads of things", "version": "1" }, "paths": {},
          "x-grpc": [ {
            "method": "IThings.Get", "endpoints": [ "screen" ], "rpc": "things.v1.Things/Get",
            "sends": { "message": "things.v1.Ask", "fields": { "id": { "number": 1, "type": "string" } } },
            "reads": { "message": "things.v1.Thing", "fields": {
              "count": { "number": 1, "type": "int32" }, "delta": { "number": 2, "type": "sint32" },
              "owner": { "number": 3, "type": "message", "of": {
                "message": "things.v1.Owner", "fields": { "name": { "number": 1, "type": "string" } }
              } }
            } }
          } ]
        }
        """;

    private const string Proto = """
        syntax = "proto2";
        package things.v1;
        import "owner.proto";
        message Ask { optional string id = 1; }
        message Thing { optional int32 count = 1; optional sint32 delta = 2; optional Owner owner = 3; }
        service Things { rpc Get(Ask) returns (Thing); }
        """;

    private const string Owner = """
        syntax = "proto2";
        package things.v1;
        message Owner { optional string name = 1; }
        """;

    private const string Rpc = " of things.v1.Things/Get ";

    private const string Query = """
        {
          "openapi": "3.1.1", "info": { "title": "What TvBff reads of things", "version": "1" }, "paths": {},
          "x-graphql": [ {
            "method": "IThings.Find", "endpoints": [ "screen" ],
            "query": "query($filter: Filter!) { animal(filter: $filter) { __typename ... on Dog { bark } ...Cats } } fragment Cats on Cat { purr }",
            "variables": { "type": "object", "required": [ "filter" ], "properties": { "filter": { "$ref": "#/components/schemas/Filter" } } },
            "data": { "type": "object", "required": [ "animal" ], "properties": { "animal": {
              "type": "object", "required": [ "__typename" ],
              "properties": { "__typename": { "type": "string" }, "bark": { "type": [ "null", "string" ] }, "purr": { "type": [ "null", "string" ] } }
            } } }
          } ],
          "components": { "schemas": { "Filter": {
            "type": "object", "required": [ "name", "kind" ],
            "properties": {
              "name": { "type": "string" }, "kind": { "type": "string", "enum": [ "SMALL" ] },
              "not": { "oneOf": [ { "type": "null" }, { "$ref": "#/components/schemas/Filter" } ] }
            }
          } } }
        }
        """;

    private const string Schema = """
        type Query { animal(filter: Filter!): Animal! }
        union Animal = Dog | Cat
        type Dog { bark: String }
        type Cat { purr: String }
        enum Kind { SMALL LARGE }
        input Filter { name: String! kind: Kind! not: Filter }
        """;

    private const string Variables = " of the variables of query animal ";

    private readonly string _folder = Directory.CreateTempSubdirectory("bff-service-").FullName;

    public SmallServiceTests() => Directory.CreateDirectory(Path.Combine(_folder, "upstreams/TvBff"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(
        "string id = 1;",
        "string id = 1; required string region = 2;",
        "region of the request" + Rpc + "is now required; TvBff does not send it in screen"
    )]
    [InlineData("optional sint32 delta", "optional int32 delta", "delta" + Rpc + "is now int32, used as sint32; TvBff needs it in screen")]
    [InlineData("optional int32 count", "optional fixed32 count", "count" + Rpc + "is now fixed32, used as int32")]
    [InlineData("Get(Ask)", "Get(stream Ask)", "things.v1.Things/Get is now a stream; TvBff needs one answer to one question in screen")]
    [InlineData("optional Owner owner", "repeated Owner owner", "owner" + Rpc + "is now repeated message, used as message")]
    [InlineData("optional int32 count", "optional int64 count", null)]
    [InlineData("optional int32 count = 1;", "oneof some { int32 count = 1; }", null)]
    [InlineData("service Things {", "service Things { rpc Watch(Ask) returns (stream Thing);", null)]
    public void A_break_of_an_older_proto_file_is_reported(string from, string to, string? line) =>
        AssertReported(Lines("things.proto", Grpc, Proto, from, to), line);

    [Fact]
    public void An_imported_file_beside_the_document_is_read()
    {
        AssertReported(
            Lines("things.proto", Grpc, Proto, "", "", Owner.Replace("string name = 1", "string name = 2", StringComparison.Ordinal)),
            "owner.name" + Rpc + "now has the number 2, used as 1"
        );

        Assert.Throws<WrongInputException>(() => Lines("things.proto", Grpc, Proto, "owner.proto", "lost.proto"));
    }

    [Theory]
    [InlineData(
        "name: String!",
        "name: String! region: String!",
        "filter.region" + Variables + "is now required, and is not sent; TvBff sends it in screen"
    )]
    [InlineData("name: String!", "", "filter.name" + Variables + "is no longer taken")]
    [InlineData("name: String!", "name: Int!", "filter.name" + Variables + "is now integer (int32), sent as string")]
    [InlineData("SMALL LARGE", "LARGE", "filter.kind" + Variables + "is no longer taken as \"SMALL\"")]
    [InlineData("not: Filter", "not: Filter!", "filter.not" + Variables + "may no longer be null")]
    [InlineData("= Dog | Cat", "= Dog", "Animal can no longer be Cat; TvBff asks for it in screen")]
    [InlineData("= Dog | Cat", "= Cat", "Animal can no longer be Dog; TvBff asks for it in screen")]
    [InlineData("bark: String", "growl: String", "Dog.bark is gone; TvBff needs it in screen")]
    [InlineData("purr: String", "purr: Int", "animal.purr of query animal is now integer (int32), read as string")]
    [InlineData("Animal! }", "Animal }", "animal of query animal may now be null")]
    [InlineData("name: String!", "name: String! region: String! = \"EU\"", null)]
    [InlineData("name: String!", "name: String region: String", null)]
    [InlineData("= Dog | Cat", "= Dog | Cat | Bird\ntype Bird { wings: Int }", null)]
    [InlineData("= Dog | Cat", "= Dog\nextend union Animal = Cat", null)]
    [InlineData("SMALL LARGE", "LARGE } extend enum Kind { SMALL", null)]
    [InlineData("not: Filter }", "not: Filter } extend input Filter { region: String }", null)]
    public void A_break_of_a_query_with_fragments_and_inputs_is_reported(string from, string to, string? line) =>
        AssertReported(Lines("things.graphql", Query, Schema, from, to), line);

    [Theory]
    [InlineData("$first: Int", "first: Int!", "the argument first of Query.animal is now Int!, sent as Int")]
    [InlineData("$first: Int = 10", "first: Int!", null)]
    [InlineData("$first: Int", "first: Int! = 10", null)]
    [InlineData("$first: Int = null", "first: Int!", "the argument first of Query.animal is now Int!, sent as Int")]
    [InlineData("$first: Int! = 10", "first: Int", null)]
    [InlineData("$first: [Int] = [1]", "first: [Int!]!", "the argument first of Query.animal is now [Int!]!, sent as [Int]")]
    [InlineData("$first: [Int!] = [1]", "first: [Int!]!", null)]
    public void A_variable_may_be_null_where_one_of_both_sides_has_a_default(string variable, string argument, string? line)
    {
        var query = Query.Replace("$filter: Filter!", "$filter: Filter!, " + variable, StringComparison.Ordinal);
        query = query.Replace("(filter: $filter)", "(filter: $filter, first: $first)", StringComparison.Ordinal);

        AssertReported(Lines("things.graphql", query, Schema, "(filter: Filter!)", $"(filter: Filter!, {argument})"), line);
    }

    [Fact]
    public void Types_of_an_interface_are_selected_like_those_of_a_union()
    {
        const string Interface = """
            interface Animal { legs: Int }
            type Dog implements Animal { legs: Int bark: String }
            type Cat implements Animal { legs: Int purr: String }
            """;
        var schema = Schema.ReplaceLineEndings("\n");
        schema = schema.Replace(
            "union Animal = Dog | Cat\ntype Dog { bark: String }\ntype Cat { purr: String }",
            Interface,
            StringComparison.Ordinal
        );

        Assert.Empty(Lines("things.graphql", Query, schema, "", ""));
        AssertReported(Lines("things.graphql", Query, schema, "type Cat implements Animal", "type Cat"), "Animal can no longer be Cat");
    }

    private static void AssertReported(IReadOnlyList<string> lines, string? line)
    {
        if (line is null)
        {
            Assert.Empty(lines);
        }
        else
        {
            Assert.Contains(lines, l => l.StartsWith("things: " + line, StringComparison.Ordinal));
        }
    }

    private IReadOnlyList<string> Lines(string name, string contract, string document, string from, string to, string? owner = null)
    {
        Assert.Contains(from, document, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "upstreams/TvBff/things.json"), contract);
        File.WriteAllText(Path.Combine(_folder, "owner.proto"), owner ?? Owner);
        var file = Path.Combine(_folder, name);
        File.WriteAllText(file, from.Length == 0 ? document : document.Replace(from, to, StringComparison.Ordinal));
        return ServiceCheck.Run(Path.Combine(_folder, "upstreams"), "things", file);
    }
}
