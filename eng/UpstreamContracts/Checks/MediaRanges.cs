using System.Text.Json.Nodes;

namespace Bff.UpstreamContracts.Checks;

/// <summary>Finds media types in a <c>content</c> object.</summary>
internal static class MediaRanges
{
    /// <summary>Returns the description of a type; all types of JSON (RFC 6839: <c>+json</c>) count as JSON.</summary>
    public static JsonObject? Find(JsonObject content, string type) =>
        Named(content, t => t == type)
        ?? (IsJson(type) ? Named(content, IsJson) : null)
        ?? Named(content, t => t == type.Split('/')[0] + "/*")
        ?? Named(content, t => t == "*/*");

    private static JsonObject? Named(JsonObject content, Func<string, bool> isIt) =>
        content.FirstOrDefault(m => isIt(m.Key.Split(';')[0].Trim().ToLowerInvariant())).Value as JsonObject;

    private static bool IsJson(string type) =>
        type == "application/json" || (type.EndsWith("+json", StringComparison.Ordinal) && type != "application/problem+json");
}
