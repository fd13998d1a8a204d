using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Clients;

/// <summary>The API documents follow the rules of <c>contracts/.spectral.yaml</c>.</summary>
public sealed class LintTests
{
    [NodeFact]
    public async Task The_documents_follow_the_rules()
    {
        var folder = await Workshop.Install("spectral");

        var said = await Tool.Run(folder, NodeFactAttribute.Npm!, ["run", "--silent", "lint"]);

        Assert.Contains("No results with a severity of 'warn' or higher found!", said, StringComparison.Ordinal);
    }

    [NodeFact]
    public async Task A_flawed_document_is_refused()
    {
        var folder = await Workshop.Install("spectral");
        using var workshop = new Workshop();
        workshop.Write(
            "flawed.json",
            """
            {
              "openapi": "3.1.1", "info": { "title": "Flawed", "version": "1.0", "description": "Two operations of one name." }, "tags": [],
              "paths": {
                "/a": { "get": { "operationId": "read", "description": "A.", "responses": { "200": { "description": "OK" } } } },
                "/b": { "get": { "operationId": "read", "description": "B.", "responses": { "200": { "description": "OK" } } } }
              }
            }
            """
        );

        var refused = await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() =>
            Tool.Run(
                folder,
                NodeFactAttribute.Node!,
                [
                    "node_modules/@stoplight/spectral-cli/dist/index.js",
                    "lint",
                    "--ruleset",
                    Path.Combine(Workshop.Root, "contracts/.spectral.yaml"),
                    Path.Combine(workshop.Folder, "flawed.json"),
                ]
            )
        );

        Assert.Contains("operation-operationId-unique", refused.Message, StringComparison.Ordinal);
    }
}
