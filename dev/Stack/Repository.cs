using System.Diagnostics;

namespace Bff.Dev.Stack;

/// <summary>The checkout that this program was built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>Builds what the stack runs; prints the compiler's output only if it fails.</summary>
    public static async Task<bool> Build(CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            ["build", Path.Combine(Root, "dev", "Stack", "Stack.slnf"), "--nologo", "-v", "q", "-c", Configuration]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Root,
        };
        using var build = Process.Start(start)!;
        var output = build.StandardOutput.ReadToEndAsync(cancellation);
        var errors = build.StandardError.ReadToEndAsync(cancellation);
        await build.WaitForExitAsync(cancellation);
        if (build.ExitCode == 0)
        {
            return true;
        }

        Console.Error.WriteLine(await output + await errors);
        return false;
    }

    public static string Assembly(string project) =>
        Path.Combine(Root, project, "bin", Configuration, "net10.0", Path.GetFileName(project) + ".dll");

    private static string Configuration =>
#if DEBUG
        "Debug";
#else
        "Release";
#endif

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Bff.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException(
            "Bff.sln was not found above this program: run it from a clone with 'dotnet run --project dev/Stack'."
        );
    }
}
