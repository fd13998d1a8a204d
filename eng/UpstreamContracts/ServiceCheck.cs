using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.UpstreamContracts.Checks;

namespace Bff.UpstreamContracts;

/// <summary>Compares a service's new document with what every gateway reads of the service.</summary>
internal static class ServiceCheck
{
    private const long LargestDocument = 16 * 1024 * 1024;
    private const int Stack = 256 * 1024 * 1024;

    /// <summary>Returns a line for each break; none if no gateway breaks.</summary>
    /// <param name="contracts">The folder <c>contracts/upstreams</c>.</param>
    /// <param name="service">The service's name under <c>Upstreams</c>.</param>
    /// <param name="document">A file: OpenAPI (JSON, YAML), <c>.proto</c>, or GraphQL SDL (<c>.graphql</c>, <c>.gql</c>).</param>
    /// <exception cref="WrongInputException">There is no such service or file, or the document cannot be read.</exception>
    public static IReadOnlyList<string> Run(string contracts, string service, string document)
    {
        var readers = Contracts(contracts, service);
        if (!File.Exists(document))
        {
            throw new WrongInputException($"{document} does not exist.");
        }

        if (new FileInfo(document).Length > LargestDocument)
        {
            throw new WrongInputException($"{document} is larger than {LargestDocument / 1024 / 1024} MiB.");
        }

        // Schemas are followed to any depth, which needs a large stack.
        IReadOnlyList<string> lines = [];
        Exception? failed = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    lines = Lines(service, Compare(readers, document, service));
                }
                catch (Exception exception)
                {
                    failed = exception;
                }
            },
            Stack
        );
        thread.Start();
        thread.Join();
        return failed switch
        {
            null => lines,
            WrongInputException wrong => throw new WrongInputException($"{document}: {wrong.Message}"),
            _ => throw new WrongInputException($"{document}: {failed.Message}"), // Any other failure is the document's fault.
        };
    }

    /// <summary>Returns the gateways that read the service.</summary>
    public static IEnumerable<string> Readers(string contracts, string service) => Contracts(contracts, service).Select(c => c.Host);

    private static List<(string Host, JsonObject Contract)> Contracts(string contracts, string service)
    {
        if (!Directory.Exists(contracts))
        {
            throw new WrongInputException($"{contracts} does not exist.");
        }

        var found = Directory
            .EnumerateDirectories(contracts)
            .Order(StringComparer.Ordinal)
            .Select(d =>
                (
                    Host: Path.GetFileName(d),
                    File: Directory.EnumerateFiles(d, "*.json").FirstOrDefault(f => Path.GetFileNameWithoutExtension(f) == service)
                )
            )
            .Where(f => f.File is not null)
            .Select(f => (f.Host, JsonNode.Parse(File.ReadAllText(f.File!))!.AsObject()))
            .ToList();
        var known = Directory
            .EnumerateFiles(contracts, "*.json", SearchOption.AllDirectories)
            .Select(f => Path.GetFileNameWithoutExtension(f)!)
            .Distinct()
            .Order(StringComparer.Ordinal);
        return found.Count > 0
            ? found
            : throw new WrongInputException(
                $"No gateway reads a service called '{service}'. The gateways read {string.Join(", ", known)}."
            );
    }

    private static List<(string Host, Finding Finding)> Compare(
        List<(string Host, JsonObject Contract)> readers,
        string document,
        string service
    )
    {
        var (part, speaks, check) = Path.GetExtension(document).ToLowerInvariant() switch
        {
            ".proto" => ("x-grpc", "gRPC", GrpcCheck.Of(document)),
            ".graphql" or ".graphqls" or ".gql" => ("x-graphql", "GraphQL", GraphQlCheck.Of(File.ReadAllText(document))),
            _ => ("paths", "REST", Rest(document)),
        };
        var asking = readers.Where(r => r.Contract[part] is JsonArray { Count: > 0 } or JsonObject { Count: > 0 }).ToList();
        return asking.Count > 0
            ? [.. asking.SelectMany(r => check(r.Contract).Select(f => (r.Host, f)))]
            : throw new WrongInputException($"No gateway calls {service} by {speaks}.");
    }

    private static Func<JsonObject, IEnumerable<Finding>> Rest(string document)
    {
        var read = OpenApiFile.Read(File.ReadAllText(document));
        return contract => RestCheck.Run(contract, read);
    }

    /// <summary>Returns one line for each difference, naming every gateway that it concerns.</summary>
    private static List<string> Lines(string service, List<(string Host, Finding Finding)> found) =>
        [
            .. found
                .GroupBy(f => f.Finding.Text)
                .Select(same =>
                    $"{service}: {same.Key}; "
                    + string.Join(
                        "; ",
                        same.GroupBy(f => (f.Host, f.Finding.Need))
                            .Select(by =>
                            {
                                var where = by.SelectMany(f => f.Finding.Endpoints).Distinct().Order(StringComparer.Ordinal).ToList();
                                return $"{by.Key.Host} {by.Key.Need}{(where.Count == 0 ? "" : " in " + string.Join(", ", where))}";
                            })
                    )
                ),
        ];
}
