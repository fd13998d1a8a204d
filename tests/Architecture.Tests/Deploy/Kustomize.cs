using System.Diagnostics;

namespace Architecture.Tests.Deploy;

/// <summary>What <c>kubectl apply -k</c> would send.</summary>
internal static class Kustomize
{
    /// <param name="folder">Below <c>deploy</c>.</param>
    /// <param name="root">The checkout, or a copy of its <c>deploy</c>.</param>
    public static string Build(string folder, string? root = null)
    {
        using var build = Process.Start(
            new ProcessStartInfo("kubectl", ["kustomize", "deploy/" + folder])
            {
                WorkingDirectory = root ?? Source.Root,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var said = build.StandardError.ReadToEndAsync();
        var output = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        Assert.True(build.ExitCode == 0, $"{folder}: {said.Result}");
        return output;
    }

    /// <summary>The only one of its kind.</summary>
    public static Yaml Of(this IEnumerable<Yaml> built, string kind) => Assert.Single(built, d => d["kind"].Text == kind);
}
