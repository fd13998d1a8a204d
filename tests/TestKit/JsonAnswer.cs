using System.Text.Json.Nodes;
using Xunit;

namespace Bff.TestKit;

/// <summary>Reads an answer that must be what a test expects; otherwise the test fails and shows all of it.</summary>
public static class JsonAnswer
{
    /// <summary>Reads a document.</summary>
    public static Task<JsonObject> Of(HttpResponseMessage response, int status = 200) => Read(response, status, "application/json");

    /// <summary>Reads a problem document.</summary>
    public static async Task<JsonObject> Problem(HttpResponseMessage response, int status, string code)
    {
        var problem = await Read(response, status, "application/problem+json");
        Assert.Equal(code, (string?)problem["code"]);
        Assert.Equal(status, (int?)problem["status"]);
        return problem;
    }

    private static async Task<JsonObject> Read(HttpResponseMessage response, int status, string type)
    {
        ArgumentNullException.ThrowIfNull(response);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode}: {text}");
        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
        return JsonNode.Parse(text)!.AsObject();
    }
}
