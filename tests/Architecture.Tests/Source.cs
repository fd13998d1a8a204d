using System.Reflection;

namespace Architecture.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Source
{
    public static readonly string[] Hosts = ["MobileBff", "WebBff", "PartnerBff"];

    public static string Root { get; } = Find();

    /// <summary>Every host that has an image, with the short name of its team's files; one that the template made is among them.</summary>
    public static IReadOnlyList<(string Host, string Team)> Gateways { get; } =
    [
        .. Directory.EnumerateDirectories(Path.Combine(Root, "src")).Where(d => File.Exists(Path.Combine(d, "Dockerfile"))).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)
            .Select(host => (host, host.Replace("Bff", "", StringComparison.Ordinal).ToLowerInvariant())),
    ];

    /// <summary>For theories: host and team.</summary>
    public static TheoryData<string, string> Teams
    {
        get
        {
            var teams = new TheoryData<string, string>();
            foreach (var (host, team) in Gateways)
            {
                teams.Add(host, team);
            }

            return teams;
        }
    }

    public static Assembly Load(string assembly) => Assembly.Load(assembly);

    public static IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Bff.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }
}
