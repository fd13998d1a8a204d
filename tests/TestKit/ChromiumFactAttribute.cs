using Xunit;

namespace Bff.TestKit;

/// <summary>A test that needs the system's Chromium; skipped with that reason if it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ChromiumFactAttribute : FactAttribute
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    public ChromiumFactAttribute() => Skip = Path is null ? "chromium is not installed" : null;

    /// <summary>Path of the program; null if it is not installed.</summary>
    public static string? Path { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':')
            .SelectMany(folder => Names.Select(name => System.IO.Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);
}
