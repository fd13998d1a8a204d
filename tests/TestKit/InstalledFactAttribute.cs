using Xunit;

namespace Bff.TestKit;

/// <summary>A test that needs programs of the machine; skipped with their names if they are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class InstalledFactAttribute : FactAttribute
{
    public InstalledFactAttribute(params string[] programs)
    {
        string[] missing = [.. programs.Where(p => !IsInstalled(p))];
        Skip = missing is [] ? null : $"not installed: {string.Join(", ", missing)}";
    }

    private static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));
}
