using System.Reflection;

namespace Architecture.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Source
{
    public static readonly string[] Hosts = ["MobileBff", "WebBff", "PartnerBff"];

    public static string Root { get; } = Find();

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
