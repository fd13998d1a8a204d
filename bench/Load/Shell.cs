using System.Diagnostics;

namespace Bff.Bench.Load;

/// <summary>Runs other programs and finds the checkout.</summary>
internal static class Shell
{
    public static string Root { get; } = Find();

    /// <summary>Folder of published programs, sockets and logs.</summary>
    public static string Artifacts { get; } = Directory.CreateDirectory(Path.Combine(Root, "artifacts", "bench")).FullName;

    /// <summary>Runs a program, whose exit code must be 0, and returns its output.</summary>
    public static async Task<string> Run(string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Root,
        };
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return process.ExitCode == 0 ? await output : throw new InvalidRunException($"{program} failed: {await output}{await errors}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Publishes a project as it ships (Release, ReadyToRun, framework-dependent) and returns the path of its assembly.</summary>
    public static async Task<string> Publish(string project, string assembly, bool build, CancellationToken cancellation)
    {
        var folder = Path.Combine(Artifacts, assembly);
        if (build)
        {
            Console.Error.WriteLine("publishing " + project);
            await Run(
                "dotnet",
                [
                    "publish",
                    project,
                    "-c",
                    "Release",
                    "-r",
                    "linux-x64",
                    "--self-contained",
                    "false",
                    "-p:PublishReadyToRun=true",
                    "-p:OpenApiGenerateDocuments=false",
                    "-o",
                    folder,
                    "--nologo",
                    "-v",
                    "q",
                ],
                cancellation
            );
        }

        return Path.Combine(folder, assembly + ".dll");
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Bff.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("Bff.sln was not found above this program.");
    }
}
