using System.Diagnostics;

namespace Bff.Dev.AppHost;

/// <summary>
/// Provides state: a container if the machine has a running container engine, else a <c>redis-server</c> on the path, else nothing, so that
/// each process keeps its own.
/// </summary>
internal static class RedisResource
{
    private const int Port = 6399;

    public static IResourceBuilder<IResource>? Add(IDistributedApplicationBuilder builder)
    {
        if (Runs("docker") || Runs("podman"))
        {
            return builder.AddContainer("redis", "redis", "8").WithEndpoint(port: Port, targetPort: 6379, name: "tcp", isProxied: false);
        }

        return IsOnPath("redis-server")
            ? builder.AddExecutable(
                "redis",
                "redis-server",
                ".",
                "--port",
                $"{Port}",
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no"
            )
            : null;
    }

    public static string? AddressOf(IResourceBuilder<IResource>? redis) => redis is null ? null : $"127.0.0.1:{Port}";

    /// <summary>
    /// Whether the engine is running. The program alone proves nothing: without its engine a container would never start.
    /// </summary>
    private static bool Runs(string engine)
    {
        if (!IsOnPath(engine))
        {
            return false;
        }

        using var info = Process.Start(
            new ProcessStartInfo(engine, "info") { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        info.OutputDataReceived += static (_, _) => { };
        info.ErrorDataReceived += static (_, _) => { };
        info.BeginOutputReadLine();
        info.BeginErrorReadLine();
        if (!info.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            info.Kill(entireProcessTree: true);
            return false;
        }

        return info.ExitCode == 0;
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, program + ".exe")));
}
