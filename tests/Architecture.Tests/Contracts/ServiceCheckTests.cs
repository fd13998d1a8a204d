using System.Text.Json.Nodes;
using Bff.UpstreamContracts;

namespace Architecture.Tests.Contracts;

/// <summary>Changes the document of a small service, which one gateway partly reads, in every way that matters.</summary>
public sealed class ServiceCheckTests : IDisposable
{
    private const string Get = "paths//things~{id}/get/";
    private const string Thing = "components/schemas/Thing/";
    private const string Members = Thing + "properties/";
    private const string Post = "paths//things/post/";
    private const string Body = Post + "requestBody/content/application~json/schema/";
    private const string Where = "GET /things/{id}";
    private const string Needs = "; TvBff needs it in screen";

    private const string Contract = """
        {
          "openapi": "3.1.1",
          "info": { "title": "What TvBff reads of things", "version": "1" },
          "paths": {
            "/things": {
              "post": {
                "parameters": [ { "name": "Idempotency-Key", "in": "header", "required": false, "schema": { "type": "string" } } ],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/NewThing" } } } },
                "responses": { "201": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Made" } } } } },
                "x-calls": [ { "method": "IThings.Make", "endpoints": [ "make" ], "passed": true } ]
              }
            },
            "/things/{thingId}": {
              "get": {
                "parameters": [
                  { "name": "thingId", "in": "path", "required": true, "schema": { "type": "string" } },
                  { "name": "limit", "in": "query", "required": true, "schema": { "type": "integer", "format": "int32" } },
                  { "name": "cursor", "in": "query", "required": false, "schema": { "type": "string" } },
                  { "name": "deep", "in": "query", "required": true, "schema": { "type": "boolean", "const": true } },
                  { "name": "ids", "in": "query", "required": false, "explode": false, "schema": { "type": "array", "items": { "type": "string" } } }
                ],
                "responses": { "2XX": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } } },
                "x-calls": [ { "method": "IThings.Get", "endpoints": [ "screen" ] } ]
              }
            },
            "/files/{name}": {
              "get": {
                "parameters": [ { "name": "name", "in": "path", "required": true, "schema": { "type": "string" } } ],
                "responses": { "2XX": { "content": { "*/*": {} } } },
                "x-calls": [ { "method": "IThings.File", "endpoints": [ "picture" ] } ]
              }
            }
          },
          "components": { "schemas": {
            "Made": { "type": "object", "required": [ "id" ], "properties": { "id": { "type": "string" } } },
            "NewThing": {
              "type": "object", "required": [ "name" ],
              "properties": {
                "name": { "type": "string" }, "size": { "type": "integer", "format": "int32" }, "note": { "type": [ "null", "string" ] },
                "tags": { "type": "array", "items": { "type": "string" } }, "labels": { "type": "object", "additionalProperties": { "type": "string" } }
              }
            },
            "Thing": {
              "type": "object", "required": [ "id", "count", "at", "tags", "kind", "price" ],
              "properties": {
                "id": { "type": "string" }, "count": { "type": "integer", "format": "int32" }, "at": { "type": "string", "format": "date-time" },
                "note": { "type": [ "null", "string" ] }, "kind": { "type": "string", "enum": [ "small", "large" ] }, "price": { "type": "number" },
                "tags": { "type": "array", "items": { "type": "string" } }, "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                "parent": { "oneOf": [ { "type": "null" }, { "$ref": "#/components/schemas/Thing" } ] },
                "maker": { "oneOf": [ { "type": "null" }, { "type": "object", "required": [ "name" ], "properties": { "name": { "type": "string" } } } ] },
                "either": { "oneOf": [ { "type": "string" }, { "type": "integer" } ] },
                "extra": {}
              }
            }
          } }
        }
        """;

    private const string Document = """
        {
          "openapi": "3.1.0",
          "info": { "title": "Things", "version": "1" },
          "servers": [ { "url": "https://things.corp" } ],
          "paths": {
            "/things": {
              "post": {
                "requestBody": { "content": { "application/json": { "schema": {
                  "type": "object", "required": [ "name" ],
                  "properties": {
                    "name": { "type": "string" }, "size": { "type": "integer" }, "color": { "type": "string" }, "note": { "type": [ "string", "null" ] },
                    "tags": { "type": "array", "items": { "type": "string" } }, "labels": { "type": "object", "additionalProperties": { "type": "string" } }
                  }
                } } } },
                "responses": {
                  "201": { "description": "", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                  "409": { "description": "" }
                }
              }
            },
            "/things/{id}": {
              "parameters": [ { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } } ],
              "get": {
                "parameters": [
                  { "name": "limit", "in": "query", "schema": { "type": "integer" } },
                  { "name": "cursor", "in": "query", "schema": { "type": "string" } },
                  { "name": "deep", "in": "query", "schema": { "type": "boolean" } },
                  { "name": "ids", "in": "query", "explode": false, "schema": { "type": "array", "items": { "type": "string" } } }
                ],
                "responses": { "200": { "description": "", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } } }
              },
              "delete": { "responses": { "204": { "description": "" } } }
            },
            "/files/{name}": {
              "get": {
                "parameters": [ { "name": "name", "in": "path", "required": true, "schema": { "type": "string" } } ],
                "responses": { "200": { "description": "", "content": { "image/png": {} } } }
              }
            }
          },
          "components": { "schemas": {
            "Named": { "type": "object", "required": [ "name" ], "properties": { "name": { "type": "string" } } },
            "Nameless": { "type": "object", "properties": { "name": { "type": "string" } } },
            "Thing": {
              "type": "object", "required": [ "id", "count", "at", "tags", "kind", "price", "maker" ],
              "properties": {
                "id": { "type": "string" }, "count": { "type": "integer" }, "at": { "type": "string", "format": "date-time" },
                "note": { "type": "string" }, "kind": { "enum": [ "small", "large" ] }, "price": { "type": "number", "format": "double" },
                "tags": { "type": "array", "items": { "type": "string" } }, "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                "parent": { "$ref": "#/components/schemas/Thing" },
                "maker": { "oneOf": [ { "$ref": "#/components/schemas/Named" }, { "type": "null" } ] },
                "either": { "type": "string" }, "extra": {}, "unread": { "type": "boolean" }
              }
            }
          } }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("bff-service-").FullName;

    public ServiceCheckTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "upstreams/TvBff"));
        File.WriteAllText(Path.Combine(_folder, "upstreams/TvBff/things.json"), Contract);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Thing + "required/5", null, "price of " + Where + " may now be absent" + Needs)]
    [InlineData(Members + "id/type", """[ "string", "null" ]""", "id of " + Where + " may now be null" + Needs)]
    [InlineData(
        Members + "id",
        """{ "oneOf": [ { "type": "null" }, { "type": "string" } ] }""",
        "id of " + Where + " may now be null" + Needs
    )]
    [InlineData(Members + "id", null, "id of " + Where + " is gone" + Needs)]
    [InlineData(Members + "note", null, "note of " + Where + " is gone" + Needs)]
    [InlineData(Members + "price/type", "\"string\"", "price of " + Where + " is now string (double), read as number" + Needs)]
    [InlineData(Members + "count", """{ "type": "number" }""", "count of " + Where + " is now number, read as integer (int32)" + Needs)]
    [InlineData(Members + "count/format", "\"int64\"", "count of " + Where + " is now integer (int64), read as integer (int32)" + Needs)]
    [InlineData(Members + "at/format", null, "at of " + Where + " is now string, read as string (date-time)" + Needs)]
    [InlineData(Members + "kind/enum/2", "\"huge\"", "kind of " + Where + " may now be \"huge\"" + Needs)]
    [InlineData(Members + "kind", """{ "type": "string" }""", "kind of " + Where + " may now be any value" + Needs)]
    [InlineData(Members + "tags/items", """{ "type": [ "string", "null" ] }""", "tags[] of " + Where + " may now be null" + Needs)]
    [InlineData(Members + "tags", """{ "type": "string" }""", "tags of " + Where + " is now string, read as array" + Needs)]
    [InlineData(
        Members + "labels/additionalProperties/type",
        "\"integer\"",
        "labels.* of " + Where + " is now integer, read as string" + Needs
    )]
    [InlineData(
        Members + "maker/oneOf/0",
        """{ "$ref": "#/components/schemas/Nameless" }""",
        "maker.name of " + Where + " may now be absent" + Needs
    )]
    [InlineData(
        Members + "maker/oneOf/2",
        """{ "$ref": "#/components/schemas/Nameless" }""",
        "maker.name of " + Where + " may now be absent" + Needs
    )]
    [InlineData(
        Members + "maker",
        """{ "allOf": [ { "$ref": "#/components/schemas/Nameless" } ] }""",
        "maker.name of " + Where + " may now be absent" + Needs
    )]
    [InlineData(
        "components/schemas/Named/properties/name/type",
        "\"integer\"",
        "maker.name of " + Where + " is now integer, read as string" + Needs
    )]
    [InlineData("paths//things~{id}", null, "GET /things/{thingId} is gone" + Needs)]
    [InlineData("paths//things~{id}/get", null, "GET /things/{thingId} is gone" + Needs)]
    [InlineData("servers/0/url", "\"https://things.corp/v2\"", null)]
    [InlineData(Get + "responses", """{ "404": { "description": "" } }""", "no longer answers with a status of success" + Needs)]
    [InlineData(Get + "responses/202", """{ "description": "" }""", Where + " may now answer 202 without a document" + Needs)]
    [InlineData(
        Get + "responses/200/content",
        """{ "text/html": {} }""",
        Where + " now answers 200 as text/html, read as application/json" + Needs
    )]
    [InlineData(
        Get + "responses/200/content/application~json",
        "{}",
        "the answer of " + Where + " is now anything, read as object" + Needs
    )]
    [InlineData(
        Get + "parameters/4",
        """{ "name": "region", "in": "query", "required": true, "schema": { "type": "string" } }""",
        Where + " now needs the query parameter region; TvBff does not send it in screen"
    )]
    [InlineData(
        Get + "parameters/4",
        """{ "name": "X-Region", "in": "header", "required": true, "schema": { "type": "string" } }""",
        Where + " now needs the header parameter X-Region; TvBff does not send it in screen"
    )]
    [InlineData(Get + "parameters/0/name", "\"pageSize\"", "the query parameter limit of " + Where + " is gone; TvBff sends it in screen")]
    [InlineData(
        Get + "parameters/1/required",
        "true",
        "the query parameter cursor of " + Where + " is now required; TvBff may leave it out in screen"
    )]
    [InlineData(
        Get + "parameters/1/schema/type",
        "\"integer\"",
        "the query parameter cursor of " + Where + " is now integer, sent as string; TvBff sends it in screen"
    )]
    [InlineData(
        Get + "parameters/2/schema",
        """{ "type": "integer" }""",
        "the query parameter deep of " + Where + " is now integer, sent as boolean"
    )]
    [InlineData(Get + "parameters/3/explode", null, "the query parameter ids of " + Where + " now takes its values one by one")]
    [InlineData(
        "paths//things~{id}/parameters/0/schema/type",
        "\"integer\"",
        "the path parameter thingId of " + Where + " is now integer, sent as string"
    )]
    [InlineData(Body + "required/1", "\"size\"", "size of POST /things is now required, and may be left out; TvBff sends it in make")]
    [InlineData(Body + "required/1", "\"color\"", "color of POST /things is now required, and is not sent; TvBff sends it in make")]
    [InlineData(Body + "properties/size/type", "\"string\"", "size of POST /things is now string, sent as integer (int32)")]
    [InlineData(Body + "properties/name", null, "name of POST /things is no longer taken")]
    [InlineData(
        Post + "requestBody/content",
        """{ "application/xml": {} }""",
        "the body of POST /things is no longer taken as application/json, but as application/xml"
    )]
    [InlineData(Post + "responses/202", """{ "description": "" }""", "POST /things may now answer 202; TvBff passes on 201 alone in make")]
    [InlineData(Post + "responses", """{ "409": { "description": "" } }""", "POST /things no longer answers with a status of success")]
    [InlineData("paths//files~{name}/get/responses/200/content", "{}", "GET /files/{name} may now answer 200 without a file")]
    [InlineData(Members + "kind", """{ "enum": [ "small", null ] }""", "kind of " + Where + " may now be null" + Needs)]
    [InlineData(Members + "note", """{ "type": "string", "writeOnly": true }""", "note of " + Where + " is gone" + Needs)]
    [InlineData(
        Members + "note",
        """{ "oneOf": [ { "type": "string" }, { "type": "boolean" } ] }""",
        "note of " + Where + " is now boolean"
    )]
    [InlineData(
        Members + "either",
        """{ "type": "boolean" }""",
        "either of " + Where + " may now be boolean of a kind that is not read" + Needs
    )]
    [InlineData(
        Post + "responses",
        """{ "200": { "description": "", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } } }""",
        "POST /things no longer answers 201; TvBff passes it on in make"
    )]
    [InlineData(Post + "requestBody", null, "the body of POST /things is no longer taken; TvBff sends it in make")]
    [InlineData(
        Get + "requestBody",
        """{ "required": true, "content": { "application/json": {} } }""",
        Where + " now needs a body; TvBff sends none in screen"
    )]
    [InlineData(Body + "properties/tags/items/type", "\"integer\"", "tags[] of POST /things is now integer, sent as string")]
    [InlineData(
        Body + "properties/labels/additionalProperties/type",
        "\"integer\"",
        "labels.* of POST /things is now integer, sent as string"
    )]
    [InlineData(Body + "properties/note/type", "\"string\"", "note of POST /things may no longer be null; TvBff sends it in make")]
    [InlineData(
        Post + "requestBody/content/application~json/schema",
        """{ "oneOf": [ { "type": "object", "required": [ "price" ], "properties": { "price": {} } }, { "type": "string" } ] }""",
        "the body of POST /things is no longer taken as object"
    )]
    public void A_break_is_described_in_words(string at, string? value, string? line)
    {
        var lines = Lines(DocumentEdit.Of(Document, at, value));

        Assert.All(lines, l => Assert.StartsWith("things: ", l, StringComparison.Ordinal));
        if (line is null)
        {
            Assert.Empty(lines);
        }
        else
        {
            Assert.Contains(lines, l => l.Contains(line, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("info/version", "\"2\"")]
    [InlineData("paths//things~{id}/delete", null)]
    [InlineData("paths//more", """{ "get": { "responses": { "200": { "description": "" } } } }""")]
    [InlineData(Members + "unread", null)]
    [InlineData(Members + "more", """{ "type": "string" }""")]
    [InlineData(Members + "note/type", """[ "string", "null" ]""")]
    [InlineData(Members + "price", """{ "type": "integer" }""")]
    [InlineData(Members + "kind/enum", """[ "small" ]""")]
    [InlineData(Members + "kind", """{ "const": "small" }""")]
    [InlineData(Members + "extra", """{ "type": "integer" }""")]
    [InlineData(Members + "parent", """{ "anyOf": [ { "type": "null" }, { "$ref": "#/components/schemas/Thing" } ] }""")]
    [InlineData(
        Members + "maker",
        """{ "oneOf": [ { "$ref": "#/components/schemas/Named" }, { "allOf": [ { "$ref": "#/components/schemas/Named" }, { "properties": { "age": { "type": "integer" } } } ] } ] }"""
    )]
    [InlineData(Get + "responses/404", """{ "description": "" }""")]
    [InlineData(
        Get + "responses",
        """{ "2XX": { "description": "", "content": { "application/hal+json": { "schema": { "$ref": "#/components/schemas/Thing" } } } } }"""
    )]
    [InlineData(
        Get + "responses",
        """{ "default": { "description": "", "content": { "*/*": { "schema": { "$ref": "#/components/schemas/Thing" } } } } }"""
    )]
    [InlineData(Get + "parameters/4", """{ "name": "region", "in": "query", "schema": { "type": "string" } }""")]
    [InlineData(Get + "parameters/4", """{ "name": "X-Tenant-Id", "in": "header", "required": true, "schema": { "type": "string" } }""")]
    [InlineData(Get + "parameters/0/schema", """{ "type": "string" }""")]
    [InlineData(Get + "parameters/2/schema", """{ "enum": [ "true", "false" ] }""")]
    [InlineData(Body + "properties/color", null)]
    [InlineData(Members + "either", """{ "type": "integer" }""")]
    [InlineData(
        Members + "maker",
        """{ "allOf": [ { "$ref": "#/components/schemas/Named" }, { "properties": { "name": { "description": "Who made it." } } } ] }"""
    )]
    [InlineData(
        Post + "requestBody/content/application~json/schema",
        """{ "type": "object", "required": [ "name", "id" ], "properties": { "id": { "type": "string", "readOnly": true }, "name": { "type": "string" }, "size": {}, "note": {}, "tags": {}, "labels": {} } }"""
    )]
    [InlineData(
        Post + "requestBody/content/application~json/schema",
        """{ "oneOf": [ { "type": "string" }, { "type": "object", "required": [ "name" ], "additionalProperties": {} } ] }"""
    )]
    public void Unread_parts_of_a_document_may_change(string at, string? value) =>
        Assert.Empty(Lines(DocumentEdit.Of(Document, at, value)));

    [Fact]
    public void The_null_forms_of_older_documents_are_understood()
    {
        var old = DocumentEdit.Of(Document, "openapi", "\"3.0.3\"");
        old["components"]!["schemas"]!["Thing"]!["properties"]!["maker"] = JsonNode.Parse(
            """{ "nullable": true, "allOf": [ { "$ref": "#/components/schemas/Named" } ] }"""
        );
        old["paths"]!["/things"]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]!["properties"]!["note"] =
            JsonNode.Parse("""{ "type": "string", "nullable": true }""");
        Assert.Empty(Lines(old));

        old["components"]!["schemas"]!["Thing"]!["properties"]!["id"] = JsonNode.Parse("""{ "type": "string", "nullable": true }""");
        old["components"]!["schemas"]!["Thing"]!["properties"]!["tags"] = JsonNode.Parse(
            """{ "nullable": true, "allOf": [ { "type": "array", "items": { "type": "string" } } ] }"""
        );
        var lines = Lines(old);
        Assert.Contains(lines, l => l.StartsWith("things: id of GET /things/{id} may now be null", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("things: tags of GET /things/{id} may now be null", StringComparison.Ordinal));
    }

    [Fact]
    public void The_path_of_the_address_may_be_the_gateways_or_the_documents()
    {
        var based = Contract
            .Replace("\"/things", "\"/api/v2/things", StringComparison.Ordinal)
            .Replace("\"/files", "\"/api/v2/files", StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "upstreams/TvBff/things.json"), based);

        Assert.NotEmpty(Lines(JsonNode.Parse(Document)!));
        Assert.Empty(Lines(DocumentEdit.Of(Document, "servers/0/url", "\"https://things.corp/api/v2/\"")));
        Assert.Empty(Lines(DocumentEdit.Of(Document, "servers/0/url", "\"/api/v2\"")));
        const string WithVariables = """
            [ { "url": "https://{region}.things.corp/{base}", "variables": { "region": { "default": "eu" }, "base": { "default": "api/v2" } } } ]
            """;
        Assert.Empty(Lines(DocumentEdit.Of(Document, "servers", WithVariables)));
    }

    [Fact]
    public void A_value_in_a_path_may_have_text_around_it()
    {
        File.WriteAllText(
            Path.Combine(_folder, "upstreams/TvBff/things.json"),
            Contract.Replace("/things/{thingId}", "/things/{thingId}:look", StringComparison.Ordinal)
        );

        Assert.StartsWith(
            "things: GET /things/{thingId}:look is gone",
            Assert.Single(Lines(JsonNode.Parse(Document)!)),
            StringComparison.Ordinal
        );
        Assert.Empty(Lines(JsonNode.Parse(Document.Replace("/things/{id}", "/things/{id}:look", StringComparison.Ordinal))!));
    }

    [Fact]
    public void A_reference_may_lead_into_a_list()
    {
        var document = DocumentEdit.Of(
            Document,
            "components/schemas/Named",
            """{ "allOf": [ { "type": "object", "required": [ "name" ], "properties": { "name": { "type": "string" } } } ] }"""
        );
        document["components"]!["schemas"]!["Thing"]!["properties"]!["maker"] = JsonNode.Parse(
            """{ "$ref": "#/components/schemas/Named/allOf/0" }"""
        );
        Assert.Empty(Lines(document));

        document["components"]!["schemas"]!["Named"]!["allOf"]![0]!.AsObject().Remove("required");
        Assert.Contains(
            Lines(document),
            l => l.StartsWith("things: maker.name of GET /things/{id} may now be absent", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_document_of_version_2_is_read_too()
    {
        var contract = JsonNode.Parse(Contract)!;
        contract["paths"]!.AsObject().Remove("/things");
        contract["paths"]!.AsObject().Remove("/files/{name}");
        File.WriteAllText(Path.Combine(_folder, "upstreams/TvBff/things.json"), contract.ToJsonString());
        const string Old = """
            {
              "swagger": "2.0", "info": { "title": "Things", "version": "1" }, "host": "things.corp", "basePath": "/", "schemes": [ "https" ],
              "produces": [ "application/json" ],
              "paths": { "/things/{id}": { "get": {
                "parameters": [
                  { "name": "id", "in": "path", "required": true, "type": "string" },
                  { "name": "limit", "in": "query", "type": "integer" }, { "name": "cursor", "in": "query", "type": "string" },
                  { "name": "deep", "in": "query", "type": "boolean" },
                  { "name": "ids", "in": "query", "type": "array", "collectionFormat": "csv", "items": { "type": "string" } }
                ],
                "responses": { "200": { "description": "", "schema": { "$ref": "#/definitions/Thing" } } }
              } } },
              "definitions": { "Thing": {
                "type": "object", "required": [ "id", "count", "at", "tags", "kind", "price" ],
                "properties": {
                  "id": { "type": "string" }, "count": { "type": "integer" }, "at": { "type": "string", "format": "date-time" },
                  "note": { "type": "string" }, "kind": { "type": "string", "enum": [ "small" ] }, "price": { "type": "number" },
                  "tags": { "type": "array", "items": { "type": "string" } }, "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                  "parent": { "$ref": "#/definitions/Thing" }, "extra": {}, "either": { "type": "string" },
                  "maker": { "type": "object", "required": [ "name" ], "properties": { "name": { "type": "string" } } }
                }
              } }
            }
            """;
        Assert.Empty(Lines(JsonNode.Parse(Old)!));

        Assert.Equal(
            ["things: price of GET /things/{id} may now be absent; TvBff needs it in screen"],
            Lines(DocumentEdit.Of(Old, "definitions/Thing/required/5", null))
        );
    }

    [Fact]
    public void A_break_names_everyone_that_it_concerns_once()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "upstreams/CarBff"));
        File.WriteAllText(
            Path.Combine(_folder, "upstreams/CarBff/things.json"),
            Contract.Replace("\"screen\"", "\"map\", \"list\"", StringComparison.Ordinal)
        );

        Assert.Contains(
            "things: id of GET /things/{id} may now be absent; CarBff needs it in list, map; TvBff needs it in screen",
            Lines(DocumentEdit.Of(Document, Thing + "required/0", null))
        );
    }

    [Theory]
    [InlineData("things.json", "")]
    [InlineData("things.json", "hello")]
    [InlineData("things.json", "[ 1 ]")]
    [InlineData("things.json", "{}")]
    [InlineData("things.json", """{ "openapi": "3.1.0" """)]
    [InlineData("things.json", """{ "openapi": "4.0.0", "info": { "title": "", "version": "1" }, "paths": {} }""")]
    [InlineData("things.json", """{ "openapi": "3.1.0", "openapi": "3.0.0" }""")]
    [InlineData("things.yaml", "openapi: 3.0.3\n\"x\": [1\n")]
    [InlineData("things.yaml", "openapi: *nothing")]
    [InlineData(
        "things.yaml",
        "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e]\ng: [*f, *f, *f, *f, *f, *f, *f, *f]\n"
    )]
    [InlineData("things.proto", "syntax = \"proto3\";")]
    [InlineData("things.graphql", "type Query { a: Int }")]
    public void A_document_that_cannot_be_read_is_reported_and_breaks_no_gateway(string name, string text) =>
        Assert.Equal(2, Exit(name, text).Code);

    [Fact]
    public void A_document_with_endless_nesting_is_reported()
    {
        Assert.Equal(2, Exit("things.yaml", new string('[', 100_000)).Code);
        Assert.Equal(2, Exit("things.yaml", string.Concat(Enumerable.Repeat("- ", 100_000))).Code);
        Assert.Equal(2, Exit("things.json", "{\"openapi\":" + new string('[', 100_000)).Code);
        Assert.Equal(2, Exit("things.proto", string.Concat(Enumerable.Repeat("message A {", 100_000))).Code);
        Assert.Equal(2, Exit("things.graphql", "type Query { a(b: " + new string('[', 100_000)).Code);
    }

    /// <summary>A reference is followed only where a gateway reads, and no further.</summary>
    [Theory]
    [InlineData("""{ "$ref": "#/components/schemas/Lost" }""", "refers to nothing")]
    [InlineData("""{ "$ref": "#/components/schemas/Around" }""", "refers to itself")]
    [InlineData("""{ "$ref": "other.json#/components/schemas/Thing" }""", "refers to another file")]
    public void A_reference_that_leads_nowhere_is_reported_only_if_it_is_read(string schema, string told)
    {
        var document = DocumentEdit.Of(Document, "components/schemas/Around", """{ "$ref": "#/components/schemas/Around" }""");
        document["components"]!["schemas"]!["Thing"]!["properties"]!["unread"] = JsonNode.Parse(schema);
        Assert.Equal((0, ""), Exit("things.json", document.ToJsonString()));

        document["components"]!["schemas"]!["Thing"]!["properties"]!["maker"] = JsonNode.Parse(schema);
        var (code, errors) = Exit("things.json", document.ToJsonString());
        Assert.Equal(2, code);
        Assert.Contains(told, errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Schemas_that_contain_themselves_can_be_compared()
    {
        var document = DocumentEdit.Of(
            Document,
            "components/schemas/Named",
            """{ "type": "object", "required": [ "name" ], "properties": { "name": { "type": "string" } }, "allOf": [ { "$ref": "#/components/schemas/Named" } ] }"""
        );
        document["components"]!["schemas"]!["Thing"]!["properties"]!["parent"] = JsonNode.Parse(
            """{ "oneOf": [ { "$ref": "#/components/schemas/Thing" }, { "$ref": "#/components/schemas/Either" } ] }"""
        );
        document["components"]!["schemas"]!["Either"] = JsonNode.Parse(
            """{ "anyOf": [ { "$ref": "#/components/schemas/Either" }, { "$ref": "#/components/schemas/Thing" } ] }"""
        );

        Assert.Empty(Lines(document));
    }

    [Theory]
    [InlineData("check")]
    [InlineData("check", "upstreams", "things")]
    [InlineData("check", "upstreams", "nobody", "things.json")]
    [InlineData("check", "upstreams", "things", "missing.json")]
    [InlineData("check", "nowhere", "things", "things.json")]
    [InlineData("write", "contracts")]
    [InlineData("write", "contracts", "missing.dll")]
    [InlineData("look")]
    public void A_wrong_command_line_is_reported(params string[] arguments)
    {
        File.WriteAllText(Path.Combine(_folder, "things.json"), Document);
        var errors = new StringWriter();

        Assert.Equal(
            2,
            Commands.Run(
                [.. arguments.Select(a => a is "upstreams" or "nowhere" or "things.json" ? Path.Combine(_folder, a) : a)],
                new StringWriter(),
                errors
            )
        );
        Assert.NotEmpty(errors.ToString());
    }

    [Fact]
    public void The_exit_code_says_whether_a_gateway_breaks()
    {
        Assert.Equal(0, Exit("things.json", Document).Code);
        Assert.Equal(1, Exit("things.json", DocumentEdit.Of(Document, "paths//things", null).ToJsonString()).Code);
    }

    private IReadOnlyList<string> Lines(JsonNode document)
    {
        var file = Path.Combine(_folder, "things.json");
        File.WriteAllText(file, document.ToJsonString());
        return ServiceCheck.Run(Path.Combine(_folder, "upstreams"), "things", file);
    }

    private (int Code, string Errors) Exit(string name, string text)
    {
        var file = Path.Combine(_folder, name);
        File.WriteAllText(file, text);
        var errors = new StringWriter();
        return (Commands.Run(["check", Path.Combine(_folder, "upstreams"), "things", file], new StringWriter(), errors), errors.ToString());
    }
}
