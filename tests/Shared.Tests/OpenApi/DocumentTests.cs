using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Bff.Callers;
using Bff.OpenApi;
using Bff.Requests;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Bff.Shared.Tests.OpenApi;

public sealed record Thing(string Id, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Note);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Thing))]
internal sealed partial class ThingJson : JsonSerializerContext;

/// <summary>Tests the parts of an OpenAPI document that a host does not write itself.</summary>
public sealed class DocumentTests : IAsyncLifetime
{
    private TestHost _host = null!;

    public async Task InitializeAsync() =>
        _host = await TestHost.Start(
            builder => builder.AddBffDefaults().AddBffOpenApi("things", "Things", ThingJson.Default, version: "2.1"),
            app =>
            {
                app.UseBffPipeline();
                app.MapGet("/things/{id}", (string id) => TypedResults.Ok(new Thing(id, null)))
                    .RequireScope("things.read")
                    .ProducesProblemDocument(404)
                    .Named("thing");
                app.MapGet("/open", () => TypedResults.Ok(new Thing("open", null))).AllowAnonymous().Named("open");
                app.MapBffOpenApi();
            }
        );

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Operations_list_the_problems_of_the_pipeline_beside_their_own()
    {
        var document = await Document();

        Assert.Equal(["200", "401", "403", "404", "429", "500", "503"], Statuses(document, "/things/{id}"));
        Assert.Equal(["200", "401", "429", "500", "503"], Statuses(document, "/open"));
        var missing = document["paths"]!["/things/{id}"]!["get"]!["responses"]!["404"]!;
        Assert.Equal("not_found", (string)missing["description"]!);
        Assert.Equal("#/components/schemas/Problem", (string)missing["content"]!["application/problem+json"]!["schema"]!["$ref"]!);
    }

    [Fact]
    public async Task An_operation_that_needs_a_token_names_its_scope()
    {
        var document = await Document();

        Assert.Equal("""[{"bearer":["things.read"]}]""", document["paths"]!["/things/{id}"]!["get"]!["security"]!.ToJsonString());
        Assert.Null(document["paths"]!["/open"]!["get"]!["security"]);
        Assert.Equal("http", (string)document["components"]!["securitySchemes"]!["bearer"]!["type"]!);
    }

    [Fact]
    public async Task The_title_version_and_operation_ids_come_from_the_host()
    {
        var document = await Document();

        Assert.Equal(
            ("3.1.1", "Things", "2.1"),
            ((string)document["openapi"]!, (string)document["info"]!["title"]!, (string)document["info"]!["version"]!)
        );
        Assert.Equal("thing", (string)document["paths"]!["/things/{id}"]!["get"]!["operationId"]!);
        Assert.Null(document["servers"]);
    }

    [Fact]
    public async Task A_member_that_is_omitted_when_null_is_not_required() =>
        Assert.Equal("""["id"]""", (await Document())["components"]!["schemas"]!["Thing"]!["required"]!.ToJsonString());

    [Fact]
    public async Task An_unknown_document_is_answered_with_404()
    {
        using var answer = await _host.Client.GetAsync(new Uri("/openapi/others.json", UriKind.Relative));

        Assert.Equal((404, "application/problem+json"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
    }

    private async Task<JsonNode> Document() =>
        (await _host.Client.GetFromJsonAsync<JsonNode>(new Uri("/openapi/things.json", UriKind.Relative)))!;

    private static IEnumerable<string> Statuses(JsonNode document, string path) =>
        document["paths"]![path]!["get"]!["responses"]!.AsObject().Select(r => r.Key).Order();
}
