namespace Bff.Dev.AppHost;

/// <summary>State: a container where the machine has an engine for it, else a <c>redis-server</c> on the path, else none: each process keeps its own.</summary>
internal static class RedisResource
{
    private const int Port = 6399;

    public static IResourceBuilder<IResource>? Add(IDistributedApplicationBuilder builder)
    {
        if (IsOnPath("docker") || IsOnPath("podman"))
        {
            return builder.AddContainer("redis", "redis", "8").WithEndpoint(port: Port, targetPort: 6379, name: "tcp", isProxied: false);
        }

        return IsOnPath("redis-server")
            ? builder.AddExecutable("redis", "redis-server", ".", "--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
            : null;
    }

    public static string? AddressOf(IResourceBuilder<IResource>? redis) => redis is null ? null : $"127.0.0.1:{Port}";

    private static bool IsOnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, program + ".exe")));
}
