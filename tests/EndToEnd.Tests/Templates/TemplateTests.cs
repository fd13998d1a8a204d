using System.Diagnostics;
using Bff.TestKit;

namespace EndToEnd.Tests.Templates;

/// <summary>What docs/adding-a-bff.md says: a fourth gateway is made by one command, and nothing that is there changes for it.</summary>
public sealed class TemplateTests : IDisposable
{
    private static readonly string[] Needed = ["src/Shared", "tests/TestKit", "dev/Upstreams", "dev/IdentityProvider", "contracts", "templates"];
    private static readonly string[] Files =
        [".editorconfig", "global.json", "Directory.Build.props", "Directory.Packages.props", "Bff.sln", "src/Directory.Build.targets", "tests/Directory.Build.props"];

    private readonly string _copy = Directory.CreateTempSubdirectory("bff-template-").FullName;

    public void Dispose() => Directory.Delete(_copy, recursive: true);

    [Fact]
    public async Task A_new_gateway_builds_composes_and_passes_its_own_tests_without_a_change_of_shared()
    {
        CopyTree();
        var before = Shared();

        await Dotnet("new", "install", "templates/bff", "--debug:custom-hive", Path.Combine(_copy, "hive"));
        await Dotnet("new", "bff", "-n", "TvBff", "--debug:custom-hive", Path.Combine(_copy, "hive"));
        await Dotnet("sln", "Bff.sln", "add", "src/TvBff", "tests/TvBff.Tests");
        var tests = await Dotnet("test", "tests/TvBff.Tests", "--nologo", "-m:2", "-nodeReuse:false", "-p:RunAnalyzers=false");

        Assert.Matches("Failed: +0, Passed: +3, Skipped: +0", tests);
        Assert.Equal(before, Shared());
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_copy, "src/TvBff"), "*", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal))
            .Where(f => File.ReadAllText(f).Contains("NewBff", StringComparison.Ordinal)).ToList());
    }

    private SortedDictionary<string, string> Shared() => new(
        Sources(Path.Combine(_copy, "src/Shared")).ToDictionary(f => f, File.ReadAllText), StringComparer.Ordinal);

    private void CopyTree()
    {
        var root = Checkout.Root;
        var all = Files.Select(f => Path.Combine(root, f)).Concat(Needed.SelectMany(folder => Sources(Path.Combine(root, folder))));
        foreach (var file in all)
        {
            var target = Path.Combine(_copy, Path.GetRelativePath(root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.TopDirectoryOnly).Concat(
            Directory.EnumerateDirectories(folder).Where(d => Path.GetFileName(d) is not ("bin" or "obj")).SelectMany(Sources));

    private async Task<string> Dotnet(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = _copy,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["DOTNET_NOLOGO"] = "1", ["MSBUILDDISABLENODEREUSE"] = "1" },
        };
        foreach (var inherited in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.Ordinal) && k != "MSBUILDDISABLENODEREUSE").ToList())
        {
            start.Environment.Remove(inherited); // The test run's own build engine is not this one's.
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var errors = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}\n{await output}\n{await errors}");
            return await output;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
