using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Bff.UpstreamContracts.Checks;

/// <summary>An operation of a service's document.</summary>
/// <param name="Path">Path in the service's spelling.</param>
/// <param name="PathNames">The service's names of the values in the path, by the gateway's names.</param>
internal sealed record OfferedOperation(
    string Path,
    string Verb,
    JsonObject Operation,
    IReadOnlyList<JsonObject> Parameters,
    IReadOnlyDictionary<string, string> PathNames
);

/// <summary>
/// Finds operations by their path. Each side may name the values in a path differently, and the path of a server's address may be part of
/// the gateway's paths or of its address.
/// </summary>
internal sealed partial class ServicePaths(JsonObject document)
{
    private readonly string[] _bases = ["", .. Shape.List(document["servers"]).Select(BaseOf).Where(b => b.Length > 0).Distinct()];

    public OfferedOperation? Find(string path, string verb) =>
        _bases
            .SelectMany(b => Shape.Object(document["paths"]).Where(p => p.Value is not null).Select(p => (p.Key, p.Value, Full: b + p.Key)))
            .Select(p => (p.Key, Item: Shape.Follow(p.Value!, document).Target, Names: Match(path, p.Full)))
            .Where(p => p.Names is not null && p.Item[verb] is JsonObject)
            .Select(p => new OfferedOperation(p.Key, verb, p.Item[verb]!.AsObject(), Parameters(p.Item, verb), p.Names!))
            .FirstOrDefault();

    private List<JsonObject> Parameters(JsonObject item, string verb)
    {
        var all = new Dictionary<(string?, string?), JsonObject>();
        foreach (
            var parameter in Shape
                .List(item["parameters"])
                .Concat(Shape.List(item[verb]!["parameters"]))
                .Select(p => Shape.Follow(p, document).Target)
        )
        {
            all[((string?)parameter["in"], (string?)parameter["name"])] = parameter;
        }

        return [.. all.Values];
    }

    /// <summary>
    /// Returns the names of the values, or null if the paths differ. A value may have text around it, as in <c>{id}:cancel</c>.
    /// </summary>
    private static Dictionary<string, string>? Match(string mine, string theirs)
    {
        if (Braces().Replace(mine.Trim('/'), "{}") != Braces().Replace(theirs.Trim('/'), "{}"))
        {
            return null;
        }

        var names = new Dictionary<string, string>();
        foreach (var (own, other) in Braces().Matches(mine).Zip(Braces().Matches(theirs)))
        {
            names[own.Groups[1].Value] = other.Groups[1].Value;
        }

        return names;
    }

    [GeneratedRegex(@"\{([^{}]*)\}")]
    private static partial Regex Braces();

    private static string BaseOf(JsonNode server)
    {
        var url = Braces()
            .Replace((string?)server["url"] ?? "", v => (string?)server["variables"]?[v.Groups[1].Value]?["default"] ?? v.Groups[1].Value);
        var path =
            Uri.TryCreate(url, UriKind.Absolute, out var absolute) && absolute.Scheme.StartsWith("http", StringComparison.Ordinal)
                ? absolute.AbsolutePath
                : url;
        return path is ['/', ..] ? path.TrimEnd('/') : "";
    }
}
