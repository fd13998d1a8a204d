using System.Diagnostics;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Images;

/// <summary>
/// Skips the test, with the reason, where a file system cannot be assembled and entered: this needs Linux, root, mounts in a namespace,
/// kubectl and redis-server.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ImageFactAttribute : FactAttribute
{
    public ImageFactAttribute() => Skip = Machine.MissingRequirement;
}

/// <summary>Also skips the test without <c>eng/run-images</c>, because publishing as the Dockerfiles do takes minutes.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ImageTheoryAttribute : TheoryAttribute
{
    public ImageTheoryAttribute() =>
        Skip =
            Machine.MissingRequirement
            ?? (Environment.GetEnvironmentVariable("BFF_IMAGES") == "published" ? null : "takes minutes: eng/run-images");
}

internal static class Machine
{
    /// <summary>What the machine lacks or forbids, or null.</summary>
    public static string? MissingRequirement { get; } = Find();

    private static string? Find()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
        {
            return "needs root on Linux";
        }

        if (new InstalledFactAttribute("unshare", "setpriv", "kubectl", "redis-server").Skip is { } missing)
        {
            return missing;
        }

        using var unshare = Process.Start(
            new ProcessStartInfo("unshare", ["--mount", "--propagation", "private", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
            {
                RedirectStandardError = true,
            }
        )!;
        unshare.WaitForExit();
        return unshare.ExitCode == 0 ? null : "mounts in a name space are not allowed";
    }
}
