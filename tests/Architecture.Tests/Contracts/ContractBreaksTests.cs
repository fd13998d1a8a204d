using System.Text.Json.Nodes;

namespace Architecture.Tests.Contracts;

/// <summary>Edits one small document in every way that breaks a client and in ways that do not.</summary>
public sealed class ContractBreaksTests
{
    private const string Post = "paths//orders/post/";
    private const string Body = "components/schemas/Request/";
    private const string Answer = "components/schemas/Order/";

    private const string Document = """
        {
          "info": { "version": "1.4" },
          "security": [ { "bearer": [ "orders" ] } ],
          "paths": {
            "/health": { "get": { "security": [], "responses": { "200": {} } } },
            "/orders": {
              "post": {
                "parameters": [
                  { "in": "query", "name": "limit", "schema": { "type": "integer", "format": "int32", "maximum": 100 } },
                  { "in": "header", "name": "X-Trace", "schema": { "type": "string" } }
                ],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Request" } } } },
                "responses": {
                  "200": {
                    "headers": { "Link": { "schema": { "type": "string" } } },
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Order" } }, "text/plain": {} }
                  },
                  "404": {}
                }
              },
              "delete": { "responses": { "204": {} } }
            }
          },
          "components": { "schemas": {
            "Request": {
              "type": "object", "required": [ "product" ],
              "properties": {
                "product": { "type": "string", "maxLength": 50 }, "quantity": { "type": [ "null", "integer" ] }, "speed": { "enum": [ "slow", "fast" ] },
                "weight": { "type": "integer", "format": "int32" }, "tags": { "type": "array", "items": { "type": "string" } }
              }
            },
            "Order": {
              "type": "object", "required": [ "id" ],
              "properties": {
                "id": { "type": "string" }, "status": { "enum": [ "open", "shipped" ] }, "total": { "type": "number", "format": "double" },
                "at": { "type": "string", "format": "date-time" }, "note": { "type": [ "null", "string" ] }, "parent": { "$ref": "#/components/schemas/Order" },
                "address": { "oneOf": [ { "type": "null" }, { "$ref": "#/components/schemas/Address" } ] }, "sent": { "$ref": "#/components/schemas/Address" },
                "lines": { "type": "array", "items": { "type": "object", "properties": { "sku": { "type": "string" } } } },
                "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                "payment": { "oneOf": [ { "$ref": "#/components/schemas/Card" }, { "$ref": "#/components/schemas/Transfer" } ] }
              }
            },
            "Address": { "type": "object", "properties": { "city": { "type": "string" } } },
            "Card": { "type": "object", "properties": { "digits": { "type": "string" } } },
            "Transfer": { "type": "object", "properties": { "iban": { "type": "string" } } }
          } }
        }
        """;

    [Theory]
    [InlineData("paths//orders", null, "/orders: is gone")]
    [InlineData("paths//orders/delete", null, "DELETE /orders: is gone")]
    [InlineData(Post + "responses/404", null, "POST /orders 404: is gone")]
    [InlineData(Post + "responses/200/content/text~plain", null, "text/plain is gone")]
    [InlineData(Post + "responses/200/content", null, "application/json is gone")]
    [InlineData(Post + "responses/200/headers/Link", null, "header Link: is gone")]
    [InlineData(Post + "requestBody/content", """{ "application/xml": {} }""", "body: application/json is gone")]
    [InlineData(Post + "requestBody", null, "body: application/json is gone")]
    [InlineData(Post + "requestBody/required", "true", "body: is required now")]
    [InlineData(Post + "parameters/0", null, "query limit: is gone")]
    [InlineData(Post + "parameters/0/in", "\"header\"", "query limit: is gone")]
    [InlineData(Post + "parameters/0/required", "true", "query limit: is required now")]
    [InlineData(Post + "parameters/0/schema/maximum", "50", "maximum is 50 now")]
    [InlineData(Post + "parameters/0/schema/minimum", "1", "minimum is 1 now")]
    [InlineData(Post + "parameters/0/schema/type", "\"string\"", "type was integer (int32)")]
    [InlineData(Post + "parameters/2", """{ "in": "query", "name": "region", "required": true }""", "query region: is new and required")]
    [InlineData(Post + "security", """[ { "bearer": [ "orders", "admin" ] } ]""", "needs other credentials")]
    [InlineData("paths//health/get/security", null, "needs other credentials")]
    [InlineData(Body + "properties/product/maxLength", "20", "maxLength is 20 now")]
    [InlineData(Body + "properties/product/pattern", "\"^p\"", "must match ^p now")]
    [InlineData(Body + "properties/product/enum", """[ "p-1" ]""", "takes only some values now")]
    [InlineData(Body + "properties/quantity", null, "body.quantity: is gone")]
    [InlineData(Body + "properties/quantity/type", "\"integer\"", "body.quantity: may not be null any more")]
    [InlineData(Body + "properties/speed/enum", """[ "slow" ]""", "value \"fast\" is gone")]
    [InlineData(Body + "properties/weight/format", "\"int16\"", "body.weight: type was integer (int32), is integer (int16)")]
    [InlineData(Body + "properties/tags/items/type", "\"integer\"", "body.tags[]: type was string, is integer")]
    [InlineData(Body + "required", """[ "product", "quantity" ]""", "body.quantity: is required now")]
    [InlineData(Body + "required", """[ "product", "coupon" ]""", "body.coupon: is required now")]
    [InlineData(Body + "additionalProperties", "false", "refuses unknown members now")]
    [InlineData(Answer + "properties/id", null, "200.id: is gone")]
    [InlineData(Answer + "properties/id/type", "\"integer\"", "200.id: type was string, is integer")]
    [InlineData(
        Answer + "properties/total",
        """{ "type": [ "number", "string" ], "format": "double" }""",
        "200.total: type was number (double), is number|string"
    )]
    [InlineData(Answer + "properties/id/type", """[ "null", "string" ]""", "200.id: may be null now")]
    [InlineData(
        Answer + "properties/sent",
        """{ "oneOf": [ { "type": "null" }, { "$ref": "#/components/schemas/Address" } ] }""",
        "200.sent: may be null now"
    )]
    [InlineData(Answer + "properties/at/format", null, "type was string (date-time), is string")]
    [InlineData(Answer + "properties/status/enum", """[ "open" ]""", "value \"shipped\" is gone")]
    [InlineData(Answer + "properties/status", """{ "type": "string" }""", "promises no set of values any more")]
    [InlineData(Answer + "properties/address", """{ "type": "string" }""", "200.address: type was object, is string")]
    [InlineData(Answer + "properties/lines/items/properties/sku", null, "200.lines[].sku: is gone")]
    [InlineData(Answer + "properties/labels/additionalProperties/type", "\"integer\"", "200.labels.*: type was string")]
    [InlineData(Answer + "properties/labels/additionalProperties", null, "200.labels.*: type was string, is anything")]
    [InlineData(Answer + "properties/payment/oneOf/1", null, "variant #/components/schemas/Transfer is gone")]
    [InlineData("components/schemas/Card/properties/digits", null, ".digits: is gone")]
    [InlineData("components/schemas/Address/properties/city", null, ".city: is gone")]
    [InlineData(Answer + "required", "[]", "200.id: may be left out now")]
    public void A_change_that_breaks_a_client_is_found(string at, string? value, string found) =>
        Assert.Contains(
            found,
            string.Join('\n', ContractBreaks.Between(JsonNode.Parse(Document)!, Edited(at, value))),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("paths//carts", "{}")]
    [InlineData("paths//orders/get", "{}")]
    [InlineData(Post + "summary", "\"Order something\"")]
    [InlineData(Post + "responses/409", "{}")]
    [InlineData(Post + "responses/200/headers/Age", "{}")]
    [InlineData(Post + "parameters/2", """{ "in": "query", "name": "region" }""")]
    [InlineData(Post + "parameters/1/name", "\"x-trace\"")]
    [InlineData(Post + "parameters/0/schema/format", "\"int64\"")]
    [InlineData(Post + "parameters/0/schema/maximum", "200")]
    [InlineData(Post + "security", """[ { "bearer": [ "orders" ] }, { "api_key": [] } ]""")]
    [InlineData(Post + "security", """[ { "bearer": [] } ]""")]
    [InlineData("paths//orders/delete/security", "[]")]
    [InlineData(Body + "properties/coupon", """{ "type": "string" }""")]
    [InlineData(Body + "properties/speed/enum", """[ "slow", "fast", "drone" ]""")]
    [InlineData(Body + "properties/speed", """{ "type": "string" }""")]
    [InlineData(Body + "properties/weight", """{ "type": "number" }""")]
    [InlineData(Body + "properties/product/type", """[ "null", "string" ]""")]
    [InlineData(Body + "required", "[]")]
    [InlineData(Answer + "properties/eta", """{ "type": "string" }""")]
    [InlineData(Answer + "properties/status/enum", """[ "open", "shipped", "lost" ]""")]
    [InlineData(Answer + "properties/note/type", "\"string\"")]
    [InlineData(Answer + "properties/address", """{ "$ref": "#/components/schemas/Address" }""")]
    [InlineData(Answer + "properties/total", """{ "type": "integer", "format": "int32" }""")]
    [InlineData(Answer + "required", """[ "id", "status", "eta" ]""")]
    [InlineData("info/version", "\"1.5\"")]
    public void A_change_that_breaks_no_client_passes(string at, string? value) =>
        Assert.Equal([], ContractBreaks.Between(JsonNode.Parse(Document)!, Edited(at, value)));

    [Fact]
    public void A_new_major_version_may_break_and_a_minor_one_may_not()
    {
        var without = Edited("paths//orders", null);
        without["info"]!["version"] = "1.9";
        Assert.NotEmpty(ContractBreaks.Between(JsonNode.Parse(Document)!, without));

        without["info"]!["version"] = "2.0";
        Assert.Empty(ContractBreaks.Between(JsonNode.Parse(Document)!, without));
    }

    private static JsonNode Edited(string at, string? value) => DocumentEdit.Of(Document, at, value);
}
