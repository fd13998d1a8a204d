using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bff.UpstreamContracts.Declared;

/// <summary>Writes the contracts of a host with its services, one file each.</summary>
internal static class ContractFiles
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Returns the host's declarations by service.</summary>
    /// <param name="contracts">Folder of the documents that the host promises its clients; they describe the requests that it passes
    /// through.</param>
    /// <param name="host">The host's assembly.</param>
    public static IReadOnlyDictionary<string, string> Of(string contracts, Assembly host)
    {
        var reads = HostReads.Of(host);
        var promises = Promises.Of(contracts, reads.Name);
        return reads.Services.ToDictionary(
            s => s.Key,
            s => Contract(reads, promises, s.Key, s.Value).ToJsonString(Readable).ReplaceLineEndings("\n") + "\n"
        );
    }

    /// <summary>Writes the files that differ, and deletes those of services that the host no longer calls.</summary>
    public static void Write(string contracts, Assembly host)
    {
        var folder = Directory.CreateDirectory(Path.Combine(contracts, "upstreams", host.GetName().Name!)).FullName;
        var declared = Of(contracts, host);
        foreach (var (service, text) in declared)
        {
            var file = Path.Combine(folder, service + ".json");
            if (!File.Exists(file) || File.ReadAllText(file) != text)
            {
                File.WriteAllText(file, text);
            }
        }

        foreach (var old in Directory.EnumerateFiles(folder).Where(f => !declared.ContainsKey(Path.GetFileNameWithoutExtension(f))))
        {
            File.Delete(old);
        }
    }

    private static JsonObject Contract(HostReads reads, Promises promises, string service, IReadOnlyList<Type> clients)
    {
        var components = new JsonObject();
        var schemas = new Schemas(reads.Contexts, components);
        var document = new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject { ["title"] = $"What {reads.Name} reads of {service}", ["version"] = "1" },
            ["paths"] = RestReads.Of(reads, promises, schemas, components, clients),
        };
        if (GraphQlReads.Of(reads, schemas, clients) is { Count: > 0 } queries)
        {
            document["x-graphql"] = queries;
        }

        if (GrpcReads.Of(reads, clients) is { Count: > 0 } calls)
        {
            document["x-grpc"] = calls;
        }

        if (components.Count > 0)
        {
            document["components"] = new JsonObject
            {
                ["schemas"] = new JsonObject(
                    components.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => KeyValuePair.Create(c.Key, c.Value?.DeepClone()))
                ),
            };
        }

        return document;
    }
}
