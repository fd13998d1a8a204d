using System.Diagnostics;

namespace Architecture.Tests.Deploy;

/// <summary>Renders what <c>kubectl apply -k</c> would send.</summary>
internal static class Kustomize
{
    /// <param name="folder">Folder below <c>deploy</c>.</param>
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

    /// <summary>Copies the manifests, and the script that fills them in, into a folder with the layout of the checkout.</summary>
    public static void Copy(string folder)
    {
        foreach (
            var file in Directory
                .EnumerateFiles(Path.Combine(Source.Root, "deploy"), "*", SearchOption.AllDirectories)
                .Append(Path.Combine(Source.Root, "eng/fill-in"))
        )
        {
            var to = Path.Combine(folder, Path.GetRelativePath(Source.Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }
    }

    /// <summary>Returns the only document of its kind.</summary>
    public static Yaml Of(this IEnumerable<Yaml> built, string kind) => Assert.Single(built, d => d["kind"].Text == kind);
}
