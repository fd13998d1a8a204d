using System.Text.Json.Nodes;

namespace Architecture.Tests.Contracts;

/// <summary>Makes one change to a document.</summary>
internal static class DocumentEdit
{
    /// <summary>
    /// Separates steps by "/"; "//orders" is the path "/orders", "text~plain" the type "text/plain". Null removes the value, and a list
    /// gets one more entry.
    /// </summary>
    public static JsonNode Of(string text, string at, string? value)
    {
        var steps = at.Replace("//", "/~", StringComparison.Ordinal).Split('/').Select(s => s.Replace('~', '/')).ToList();
        var document = JsonNode.Parse(text)!;
        var parent = steps
            .SkipLast(1)
            .Aggregate(document, (node, step) => node is JsonArray list ? list[int.Parse(step, null)]! : node[step]!);
        var edit = value is null ? null : JsonNode.Parse(value);
        switch (parent, edit)
        {
            case (JsonArray list, null):
                list.RemoveAt(int.Parse(steps[^1], null));
                break;
            case (JsonArray list, _):
                list.Insert(int.Parse(steps[^1], null), edit);
                break;
            case (JsonObject members, null):
                Assert.True(members.Remove(steps[^1]));
                break;
            default:
                parent[steps[^1]] = edit;
                break;
        }

        return document;
    }
}
