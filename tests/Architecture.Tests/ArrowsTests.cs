using ArchUnitNET.Domain;
using ArchUnitNET.Loader;

namespace Architecture.Tests;

/// <summary>
/// Lists the imports that are allowed between folders. A folder imports only folders that stand above it in its table, so there is no
/// cycle. A new arrow is a decision and is written here first; an arrow that nothing needs any more is removed.
/// </summary>
public sealed class ArrowsTests
{
    /// <summary>
    /// The kernel comes first and imports no stage. Then come adapters, stages and optional parts of hosts, each below everything that it
    /// imports.
    /// </summary>
    private static readonly (string Folder, string[] Imports)[] OfShared =
    [
        ("Concurrency", []),
        ("Configuration", []),
        ("Tenancy", ["Configuration"]),
        ("Requests", ["Tenancy"]),
        ("State", ["Concurrency", "Configuration"]),
        ("Edge", ["Configuration", "Requests", "State"]),
        ("Life", ["Configuration", "Edge", "Requests"]),
        ("Observability", ["Concurrency", "Configuration", "Edge", "Requests"]),
        ("Paging", ["Edge", "Requests", "State"]),
        ("Audit", ["Concurrency", "Configuration", "Edge", "Paging", "Requests", "State"]),
        ("Callers", ["Audit", "Concurrency", "Configuration", "Edge", "Life", "Requests", "State"]),
        ("RateLimiting", ["Callers", "Concurrency", "Configuration", "Edge", "Requests", "State", "Tenancy"]),
        ("Admission", ["Configuration", "Requests", "Tenancy"]),
        ("OpenApi", ["Edge", "Requests"]),
        ("Upstreams", ["Callers", "Concurrency", "Configuration", "Edge", "Requests", "Tenancy"]),
        ("Routes", ["Callers", "Concurrency", "Configuration", "Edge", "Life", "RateLimiting", "Requests", "Tenancy", "Upstreams"]),
        ("Caching", ["Concurrency", "Edge", "Requests", "State", "Upstreams"]),
        ("Composition", ["Caching", "Concurrency", "Configuration", "Life", "OpenApi", "Requests", "Tenancy", "Upstreams"]),
        ("Sessions", ["Audit", "Callers", "Concurrency", "Configuration", "Edge", "OpenApi", "RateLimiting", "Requests", "State"]),
        ("Idempotency", ["Concurrency", "Edge", "Requests", "State"]),
        ("Events", ["Caching", "Callers", "Concurrency", "Configuration", "Edge", "Life", "Requests", "State"]),
        ("Tenants", ["Audit", "Concurrency", "Configuration", "Edge", "Events", "Paging", "RateLimiting", "Requests", "State", "Tenancy"]),
    ];

    /// <summary>Features call services; only the folders that show a feature to people import it.</summary>
    private static readonly Dictionary<string, (string Folder, string[] Imports)[]> OfHosts = new()
    {
        ["MobileBff"] = [("Upstreams", []), ("Features", ["Upstreams"])],
        ["WebBff"] = [("Upstreams", []), ("Features", ["Upstreams"])],
        ["PartnerBff"] =
        [
            ("Upstreams", []),
            ("Requests", []),
            ("Versions", []),
            ("OpenApi", []),
            ("Webhooks", []),
            ("Usage", ["Requests"]),
            ("Features", ["OpenApi", "Upstreams", "Usage", "Webhooks"]),
            ("Agents", ["OpenApi", "Usage"]),
            ("Portal", ["Agents", "Features", "Requests", "Usage", "Webhooks"]),
        ],
    };

    public static TheoryData<string> Hosts => new(Source.Hosts);

    [Fact]
    public void Folders_of_shared_import_what_the_table_says() => Compare("Bff.Shared", "Bff", OfShared);

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Folders_of_a_host_import_what_the_table_says(string host) => Compare(host, host, OfHosts[host]);

    private static void Compare(string assembly, string root, (string Folder, string[] Imports)[] table)
    {
        Assert.All(
            table,
            row => Assert.Subset(table.TakeWhile(r => r.Folder != row.Folder).Select(r => r.Folder).ToHashSet(), row.Imports.ToHashSet())
        );
        var found = Arrows(assembly, root);
        var listed = table.SelectMany(row => row.Imports.Select(to => (row.Folder, to))).ToHashSet();

        var wrong = found
            .Where(arrow => !listed.Contains(arrow.Key))
            .Select(arrow => $"{arrow.Key.From} must not import {arrow.Key.To}: {arrow.Value}.")
            .Concat(
                listed
                    .Where(arrow => !found.ContainsKey(arrow))
                    .Select(arrow => $"{arrow.Folder} imports nothing of {arrow.to}: take the arrow out.")
            );
        Assert.True(!wrong.Any(), string.Join('\n', wrong));
    }

    /// <summary>Returns every arrow, with one use as evidence.</summary>
    private static Dictionary<(string From, string To), string> Arrows(string assembly, string root)
    {
        var found = new Dictionary<(string From, string To), string>();
        foreach (var type in new ArchLoader().LoadAssembly(Source.Load(assembly)).Build().Types)
        {
            // A generic parameter may have the name of another type.
            foreach (var use in type.Dependencies.Where(d => d.Target is not GenericParameter))
            {
                if (FolderOf(type, root) is { } from && FolderOf(use.Target, root) is { } to && from != to)
                {
                    found.TryAdd((from, to), $"{type.FullName} uses {use.Target.FullName}");
                }
            }
        }

        return found;
    }

    /// <summary>Returns the first part of a namespace below the root, or null outside the root.</summary>
    private static string? FolderOf(IType type, string root) =>
        type.Namespace?.FullName is { } name && name.StartsWith(root + ".", StringComparison.Ordinal)
            ? name[(root.Length + 1)..].Split('.')[0]
            : null;
}
