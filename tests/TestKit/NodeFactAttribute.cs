using Xunit;

namespace Bff.TestKit;

/// <summary>A test that needs Node.js and npm; skipped with that reason if one is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NodeFactAttribute : FactAttribute
{
    public NodeFactAttribute() =>
        Skip =
            Node is null ? "node is not installed"
            : Npm is null ? "npm is not installed"
            : null;

    /// <summary>Path of node; null if it is not installed.</summary>
    public static string? Node { get; } = Find("node");

    /// <summary>Path of npm; null if it is not installed.</summary>
    public static string? Npm { get; } = Find("npm");

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);
}
