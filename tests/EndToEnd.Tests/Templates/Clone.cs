using System.Diagnostics;
using Bff.TestKit;

namespace EndToEnd.Tests.Templates;

/// <summary>A copy of the parts of the checkout that a team needs, in which commands can run and files can change.</summary>
internal sealed class Clone : IDisposable
{
    private static readonly string[] Files =
    [
        ".editorconfig",
        "global.json",
        "Directory.Build.props",
        "Directory.Packages.props",
        "Bff.sln",
        "src/Directory.Build.targets",
        "tests/Directory.Build.props",
    ];

    public Clone(params string[] folders)
    {
        var root = Checkout.Root;
        var all = Files.Select(f => Path.Combine(root, f)).Concat(folders.SelectMany(folder => Sources(Path.Combine(root, folder))));
        foreach (var file in all)
        {
            var target = At(Path.GetRelativePath(root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("bff-clone-").FullName;

    public string At(string path) => Path.Combine(Root, path);

    public void Dispose() => Directory.Delete(Root, recursive: true);

    /// <summary>Returns every file except build output.</summary>
    public static IEnumerable<string> Sources(string folder) =>
        Directory
            .EnumerateFiles(folder, "*", SearchOption.TopDirectoryOnly)
            .Concat(Directory.EnumerateDirectories(folder).Where(d => Path.GetFileName(d) is not ("bin" or "obj")).SelectMany(Sources));

    /// <summary>Runs dotnet and returns its output; fails when the command fails.</summary>
    public Task<string> Dotnet(params string[] arguments) => Run("dotnet", arguments);

    /// <summary>Runs a line of a page as a shell does.</summary>
    public Task<string> Shell(string command) => Run("bash", "-euo", "pipefail", "-c", command);

    private async Task<string> Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
                ["DOTNET_NOLOGO"] = "1",
                ["MSBUILDDISABLENODEREUSE"] = "1",
            },
        };
        foreach (
            var inherited in start
                .Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.Ordinal) && k != "MSBUILDDISABLENODEREUSE")
                .ToList()
        )
        {
            start.Environment.Remove(inherited); // The build must not use the build engine of the test run.
        }

        using var timeLimit = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timeLimit.Token);
            var errors = process.StandardError.ReadToEndAsync(timeLimit.Token);
            await process.WaitForExitAsync(timeLimit.Token);
            Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\n{await output}\n{await errors}");
            return await output;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
