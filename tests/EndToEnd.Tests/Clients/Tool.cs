using System.Diagnostics;

namespace Bff.EndToEnd.Tests.Clients;

/// <summary>Runs a program to its end, within a time limit.</summary>
internal static class Tool
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromMinutes(5);

    /// <summary>Returns what the program printed. Fails the test, with the whole output, when the program fails.</summary>
    public static async Task<string> Run(
        string folder,
        string program,
        string[] arguments,
        params (string Name, string Value)[] environment
    )
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        using var timeLimit = new CancellationTokenSource(WaitLimit);
        try
        {
            var (output, errors) = (
                process.StandardOutput.ReadToEndAsync(timeLimit.Token),
                process.StandardError.ReadToEndAsync(timeLimit.Token)
            );
            await process.WaitForExitAsync(timeLimit.Token);
            Assert.True(
                process.ExitCode == 0,
                $"{program} {string.Join(' ', arguments)}: {process.ExitCode}\n{await output}\n{await errors}"
            );
            return await output;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {WaitLimit}.");
        }
    }
}
