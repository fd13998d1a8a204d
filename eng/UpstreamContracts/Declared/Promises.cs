using System.Text.Json.Nodes;

namespace Bff.UpstreamContracts.Declared;

/// <summary>What a host promises its clients, by operation. For a request that it passes through, the service keeps that promise.</summary>
internal sealed class Promises
{
    private readonly Dictionary<string, (JsonObject Operation, JsonObject Document)> _operations = [];

    /// <summary>Reads <c>mobile*.json</c> for <c>MobileBff</c>, and so on.</summary>
    public static Promises Of(string contracts, string host)
    {
        var promises = new Promises();
        var team = host.Replace("Bff", "", StringComparison.Ordinal).ToLowerInvariant();
        foreach (var file in Directory.EnumerateFiles(contracts, team + "*.json").Order(StringComparer.Ordinal))
        {
            var document = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
            foreach (
                var operation in document["paths"]!
                    .AsObject()
                    .SelectMany(p => p.Value!.AsObject())
                    .Select(o => o.Value)
                    .OfType<JsonObject>()
            )
            {
                if ((string?)operation["operationId"] is { } id)
                {
                    promises._operations[id] = (operation, document);
                }
            }
        }

        return promises;
    }

    /// <summary>Returns the operation and the document that its references point into, or null if no document has it.</summary>
    public (JsonObject Operation, JsonObject Document)? Find(string operationId) =>
        _operations.TryGetValue(operationId, out var found) ? found : null;
}
