using System.Collections.Frozen;
using System.Text.Json;
using Bff.Configuration;
using Bff.Requests;
using Microsoft.Extensions.Configuration;

namespace Bff.Routes.GraphQl;

/// <summary>An operation that clients may send.</summary>
/// <param name="Text">The document.</param>
/// <param name="Document">Facts about the document.</param>
/// <param name="Cost">Number of units that it takes from its caller's limits.</param>
internal sealed record PersistedOperation(string Text, GraphQlDocument Document, int Cost);

/// <summary>
/// The list of allowed operations, in the formats of common tools: a JSON object of documents by id (or of <c>{ "query", "cost" }</c>), or
/// an Apollo manifest, whose <c>operations</c> have <c>id</c> and <c>body</c> (and optionally <c>cost</c>).
/// </summary>
internal sealed class PersistedOperations
{
    private const long MaxFileBytes = 16 * 1024 * 1024;
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };
    private readonly FrozenDictionary<string, PersistedOperation> _byId;
    private readonly FrozenDictionary<string, PersistedOperation> _byText;

    private PersistedOperations(Dictionary<string, PersistedOperation> byId)
    {
        _byId = byId.ToFrozenDictionary(StringComparer.Ordinal);
        _byText = byId.Values.DistinctBy(o => o.Text).ToFrozenDictionary(o => o.Text, StringComparer.Ordinal);
    }

    public PersistedOperation? ById(string id) => _byId.GetValueOrDefault(id);

    public PersistedOperation? ByText(string text) => _byText.GetValueOrDefault(text);

    /// <summary>
    /// Reads the file; adds a mistake and returns null if it is no list, or contains an operation that its own route would refuse.
    /// </summary>
    /// <param name="path">The file's path.</param>
    /// <param name="limits">Rules that every operation must obey.</param>
    /// <param name="section">The setting that names the file.</param>
    /// <param name="mistakes">Collects the mistakes.</param>
    public static PersistedOperations? Load(string path, GraphQlRules limits, IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                mistakes.Add(section.Path, "names a file that is larger than 16 MiB. Use a smaller list.");
                return null;
            }

            using var json = JsonDocument.Parse(File.ReadAllBytes(path), Strict);
            var operations = new Dictionary<string, PersistedOperation>(StringComparer.Ordinal);
            foreach (var (id, entry) in EntriesOf(json.RootElement))
            {
                operations.Add(id, Operation(id, entry, limits));
            }

            return new(operations);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            mistakes.Add(section.Path, "names a file that cannot be read. Check its path and permissions.");
        }
        catch (Exception malformed)
            when (malformed is JsonException or InvalidOperationException or KeyNotFoundException or ArgumentException or FormatException)
        {
            mistakes.Add(
                section.Path,
                "names a file that is not a list of operations. Write a JSON object of documents by id, or an "
                    + "Apollo manifest, with each id once."
            );
        }
        catch (RefusedOperation refused)
        {
            mistakes.Add(section.Path, refused.Message);
        }

        return null;
    }

    private static IEnumerable<(string Id, JsonElement Entry)> EntriesOf(JsonElement root) =>
        root.TryGetProperty("operations", out var listed) && listed.ValueKind == JsonValueKind.Array
            ? listed.EnumerateArray().Select(o => (o.GetProperty("id").GetString()!, o))
            : root.EnumerateObject().Select(p => (p.Name, p.Value));

    private static PersistedOperation Operation(string id, JsonElement entry, GraphQlRules limits)
    {
        var isText = entry.ValueKind == JsonValueKind.String;
        var text =
            (
                isText ? entry
                : entry.TryGetProperty("body", out var body) ? body
                : entry.GetProperty("query")
            ).GetString() ?? throw new JsonException();
        var cost = !isText && entry.TryGetProperty("cost", out var declared) ? declared.GetInt32() : 1;
        if (cost < 1)
        {
            throw new RefusedOperation(id, "its cost must be at least 1.");
        }

        try
        {
            var document = GraphQlDocument.Read(text);
            limits.Check(document);
            return new(text, document, cost);
        }
        catch (ProblemException refused)
        {
            throw new RefusedOperation(id, refused.Problem.Detail ?? refused.Problem.Code.Explanation);
        }
    }

#pragma warning disable CA1032, CA1064 // Caught within this file.
    private sealed class RefusedOperation(string id, string why)
        : Exception($"has the operation '{id}', which its own route would refuse: {why}");
#pragma warning restore CA1032, CA1064
}
