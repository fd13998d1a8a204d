using System.Diagnostics;

namespace Architecture.Tests.Delivery;

/// <summary>
/// A gateway made by following docs/adding-a-bff.md obeys every rule of images, manifests, workflows, owners, contracts and alerts: these
/// tests run again over a copy of the checkout that contains it.
/// </summary>
public sealed class TemplateTests
{
    private static readonly string[] Rules =
    [
        "ManifestTests",
        "RenderedTests",
        "SchemaTests",
        "ContainerTests",
        "MetricsTests",
        "AlertTests",
        "OperationsPageTests",
        "IndependenceTests",
        "WorkflowTests",
        "PromisedContractTests",
    ];

    [Fact]
    public async Task A_new_gateway_keeps_the_rules_of_delivery()
    {
        var copy = Directory.CreateTempSubdirectory("bff-fourth-").FullName;
        try
        {
            foreach (var file in Files(Source.Root).Where(f => !f.EndsWith(".png", StringComparison.Ordinal)))
            {
                var to = Path.Combine(copy, Path.GetRelativePath(Source.Root, file));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(file, to);
            }

            foreach (var command in Page().Where(c => !c.StartsWith("dotnet test", StringComparison.Ordinal)))
            {
                await Run(
                    copy,
                    "bash",
                    "-c",
                    command.StartsWith("dotnet new", StringComparison.Ordinal) ? $"{command} --debug:custom-hive {copy}/hive" : command
                );
            }

            var tested = await Run(
                copy,
                "dotnet",
                "vstest",
                typeof(TemplateTests).Assembly.Location,
                "/logger:console;verbosity=normal",
                "/TestCaseFilter:" + string.Join('|', Rules.Select(r => $"FullyQualifiedName~.{r}."))
            );

            Assert.Matches("Passed .*IndependenceTests.*\"TvBff\"", tested);
            Assert.Matches("Passed .*ManifestTests.*\"TvBff\"", tested);
            Assert.Matches("Passed .*WorkflowTests.*\"TvBff\"", tested);
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    /// <summary>Returns the commands at the head of the page.</summary>
    private static List<string> Page()
    {
        var lines = File.ReadAllLines(Path.Combine(Source.Root, "docs/adding-a-bff.md"));
        var commands = lines.SkipWhile(l => l != "```").Skip(1).TakeWhile(l => l != "```").ToList();
        Assert.Contains("dotnet new bff -n TvBff", commands);
        return commands;
    }

    private static async Task<string> Run(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["BFF_CHECKOUT"] = folder,
                ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
                ["DOTNET_NOLOGO"] = "1",
            },
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(10));
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\n{await output}\n{await errors}");
        return await output;
    }

    /// <summary>Returns every file except what builds and tools write.</summary>
    private static IEnumerable<string> Files(string folder) =>
        Directory
            .EnumerateFiles(folder)
            .Concat(
                Directory
                    .EnumerateDirectories(folder)
                    .Where(d =>
                        Path.GetFileName(d) is not ("bin" or "obj" or ".git" or "node_modules" or "artifacts" or "TestResults" or "bench")
                    )
                    .SelectMany(Files)
            );
}
