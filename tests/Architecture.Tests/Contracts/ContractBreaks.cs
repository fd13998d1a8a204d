using System.Globalization;
using System.Text.Json.Nodes;
using Bff.UpstreamContracts.Checks;

namespace Architecture.Tests.Contracts;

/// <summary>Finds what an OpenAPI document takes away from clients written against an earlier one.</summary>
internal static class ContractBreaks
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

    /// <summary>
    /// Returns one line per break; none when the major part of <c>info.version</c> differs, because that announces a break.
    /// </summary>
    public static IReadOnlyList<string> Between(JsonNode baseline, JsonNode current)
    {
        var found = new List<string>();
        if (Major(baseline) != Major(current))
        {
            return found;
        }

        foreach (var (path, item) in Shape.Object(baseline["paths"]))
        {
            if (current["paths"]?[path] is not { } now)
            {
                found.Add($"{path}: is gone");
                continue;
            }

            foreach (var method in Methods.Where(m => item![m] is not null))
            {
                var where = $"{method.ToUpperInvariant()} {path}";
                if (now[method] is null)
                {
                    found.Add($"{where}: is gone");
                    continue;
                }

                CompareParameters(where, Parameters(item!, method, baseline), Parameters(now, method, current), baseline, current, found);
                CompareBodies(where, item![method]!["requestBody"], now[method]!["requestBody"], baseline, current, found);
                CompareAnswers(where, item[method]!, now[method]!, baseline, current, found);
                CompareCredentials(
                    where,
                    item[method]!["security"] ?? baseline["security"],
                    now[method]!["security"] ?? current["security"],
                    found
                );
            }
        }

        return found.Distinct().ToList();
    }

    /// <summary>Returns the part before the first dot.</summary>
    public static int Major(JsonNode document) =>
        int.Parse(((string)document["info"]!["version"]!).TrimStart('v').Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture);

    private static Dictionary<(string In, string Name), JsonObject> Parameters(JsonNode item, string method, JsonNode document)
    {
        var all = new Dictionary<(string, string), JsonObject>();
        foreach (
            var parameter in Shape
                .List(item["parameters"])
                .Concat(Shape.List(item[method]!["parameters"]))
                .Select(p => Shape.Follow(p, document).Target)
        )
        {
            var (place, name) = ((string)parameter["in"]!, (string)parameter["name"]!);
            all[(place, place == "header" ? name.ToUpperInvariant() : name)] = parameter;
        }

        return all;
    }

    private static void CompareParameters(
        string where,
        Dictionary<(string In, string Name), JsonObject> before,
        Dictionary<(string In, string Name), JsonObject> after,
        JsonNode baseline,
        JsonNode current,
        List<string> found
    )
    {
        foreach (var (key, parameter) in before)
        {
            var at = $"{where} {key.In} {key.Name}";
            if (!after.TryGetValue(key, out var now))
            {
                found.Add($"{at}: is gone");
                continue;
            }

            if (IsRequired(now) && !IsRequired(parameter))
            {
                found.Add($"{at}: is required now");
            }

            new SchemaBreaks(baseline, current, isInput: true, found).Compare(at, parameter["schema"], now["schema"]);
        }

        found.AddRange(
            after
                .Where(p => !before.ContainsKey(p.Key) && IsRequired(p.Value))
                .Select(p => $"{where} {p.Key.In} {p.Key.Name}: is new and required")
        );
    }

    private static void CompareBodies(
        string where,
        JsonNode? before,
        JsonNode? after,
        JsonNode baseline,
        JsonNode current,
        List<string> found
    )
    {
        var (old, now) = (
            before is null ? null : Shape.Follow(before, baseline).Target,
            after is null ? null : Shape.Follow(after, current).Target
        );
        if (now is not null && IsRequired(now) && (old is null || !IsRequired(old)))
        {
            found.Add($"{where} body: is required now");
        }

        if (old is not null)
        {
            CompareContents(
                where + " body",
                old["content"],
                now?["content"],
                new SchemaBreaks(baseline, current, isInput: true, found),
                found
            );
        }
    }

    private static void CompareAnswers(
        string where,
        JsonNode before,
        JsonNode after,
        JsonNode baseline,
        JsonNode current,
        List<string> found
    )
    {
        foreach (var (status, response) in Shape.Object(before["responses"]))
        {
            var at = $"{where} {status}";
            if (after["responses"]?[status] is not { } same)
            {
                found.Add($"{at}: is gone");
                continue;
            }

            var (old, now) = (Shape.Follow(response!, baseline).Target, Shape.Follow(same, current).Target);
            CompareContents(at, old["content"], now["content"], new SchemaBreaks(baseline, current, isInput: false, found), found);
            var headers = Shape.Object(now["headers"]).ToDictionary(h => h.Key, h => h.Value!, StringComparer.OrdinalIgnoreCase);
            foreach (var (name, header) in Shape.Object(old["headers"]))
            {
                if (!headers.TryGetValue(name, out var kept))
                {
                    found.Add($"{at} header {name}: is gone");
                    continue;
                }

                new SchemaBreaks(baseline, current, isInput: false, found).Compare(
                    $"{at} header {name}",
                    Shape.Follow(header!, baseline).Target["schema"],
                    Shape.Follow(kept, current).Target["schema"]
                );
            }
        }
    }

    private static void CompareContents(string where, JsonNode? before, JsonNode? after, SchemaBreaks schemas, List<string> found)
    {
        foreach (var (type, media) in Shape.Object(before))
        {
            if (after?[type] is { } same)
            {
                schemas.Compare(where, media!["schema"], same["schema"]);
            }
            else
            {
                found.Add($"{where}: {type} is gone");
            }
        }
    }

    // Every combination of credentials that was enough must still be enough; no credentials are the empty combination.
    private static void CompareCredentials(string where, JsonNode? before, JsonNode? after, List<string> found)
    {
        var now = Combinations(after);
        if (
            !Combinations(before)
                .All(old => now.Any(n => n.All(scheme => old.TryGetValue(scheme.Key, out var scopes) && scheme.Value.IsSubsetOf(scopes))))
        )
        {
            found.Add($"{where}: needs other credentials or scopes now");
        }
    }

    private static List<Dictionary<string, HashSet<string>>> Combinations(JsonNode? security) =>
        Shape
            .List(security)
            .DefaultIfEmpty(new JsonObject())
            .Select(c => c.AsObject().ToDictionary(s => s.Key, s => Shape.List(s.Value).Select(v => (string)v!).ToHashSet()))
            .ToList();

    private static bool IsRequired(JsonObject input) => (bool?)input["required"] == true;
}
