using Bff.TestKit;

namespace Bff.EndToEnd.Tests;

/// <summary>Real processes of a gateway on one real Redis, which a test may stop and start again.</summary>
/// <param name="gateway">The host's name.</param>
/// <param name="count">Number of processes.</param>
public abstract class InstancesOnOneRedis(string gateway, int count) : IAsyncLifetime
{
    private RedisServer? _redis;

    private protected GatewayProcess[] Instances { get; } = new GatewayProcess[count];

    private protected Surroundings Surroundings { get; private set; } = null!;

    private protected string Folder { get; } = GatewayProcess.NewFolder(gateway);

    private protected RedisServer Redis => _redis ??= RedisServer.Run();

    public async Task InitializeAsync() => Surroundings = await Surroundings.StartAsync();

    public async Task DisposeAsync()
    {
        foreach (var instance in Instances)
        {
            await (instance?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        _redis?.Dispose();
        await Surroundings.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Starts an instance in the given place and replaces the one that was there.</summary>
    private protected async Task Start(int at)
    {
        var started = await StartProcess();
        await (Interlocked.Exchange(ref Instances[at], started)?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private protected abstract Task<GatewayProcess> StartProcess();
}
