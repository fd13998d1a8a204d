using System.Reflection;
using Bff.TestKit;

namespace Architecture.Tests;

/// <summary>The hosts and files of the checkout.</summary>
internal static class Source
{
    public static readonly string[] Hosts = ["MobileBff", "WebBff", "PartnerBff"];

    public static string Root => Checkout.Root;

    /// <summary>Every host with an image, with the short name of its team's files; a host made from the template is included.</summary>
    public static IReadOnlyList<(string Host, string Team)> Gateways { get; } =
    [
        .. Directory
            .EnumerateDirectories(Path.Combine(Root, "src"))
            .Where(d => File.Exists(Path.Combine(d, "Dockerfile")))
            .Select(d => Path.GetFileName(d))
            .Order(StringComparer.Ordinal)
            .Select(host => (host, host.Replace("Bff", "", StringComparison.Ordinal).ToLowerInvariant())),
    ];

    /// <summary>Host and team, for theories.</summary>
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
        Directory
            .EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));
}
