using System.Diagnostics;

namespace PartnerBff.Tests.Portal;

/// <summary>A test with axe-core in Chromium. npm fetches it once; skipped, by name, where either is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class AxeFactAttribute : FactAttribute
{
    private const string Version = "4.14.1";
    private static readonly Lazy<string?> Fetched = new(Fetch);

    public AxeFactAttribute() =>
        Skip = ChromiumFactAttribute.Path is null ? "chromium is not installed" : Fetched.Value is null ? "npm could not fetch axe-core" : null;

    /// <summary>The script.</summary>
    public static string Script => Fetched.Value!;

    private static string? Fetch()
    {
        var folder = Path.Combine(Path.GetTempPath(), "axe-core-" + Version);
        var file = Path.Combine(folder, "node_modules", "axe-core", "axe.min.js");
        if (!File.Exists(file))
        {
            Directory.CreateDirectory(folder);
            var npm = new ProcessStartInfo("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", "--fetch-timeout=20000", "axe-core@" + Version])
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
            };
            try
            {
                using var process = Process.Start(npm)!;
                process.OutputDataReceived += static (_, _) => { };
                process.ErrorDataReceived += static (_, _) => { };
                process.BeginOutputReadLine();
                process.BeginErrorReadLine();
                if (!process.WaitForExit(TimeSpan.FromSeconds(60)))
                {
                    process.Kill(entireProcessTree: true);
                }
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return null; // No npm.
            }
        }

        return File.Exists(file) ? File.ReadAllText(file) : null;
    }
}
