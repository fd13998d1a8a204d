using System.Globalization;

namespace Bff.TestKit;

/// <summary>
/// A server whose address only a Sentinel knows. One Sentinel watches the servers of all tests of the process; it does not react when a
/// test stops one.
/// </summary>
internal sealed class RedisBehindSentinel(string name) : RedisReach
{
    private static readonly Lazy<RedisServer> Sentinel = new(() =>
    {
        var sentinel = RedisServer.RunSentinel();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => sentinel.Dispose();
        return sentinel;
    });

    public override string ConnectionString => $"{Sentinel.Value.Address},serviceName={name}{RedisServer.AsUser}";

    public static RedisServer Start()
    {
        var server = RedisServer.RunAlone(s => new RedisBehindSentinel(string.Create(CultureInfo.InvariantCulture, $"bff-{s.Port}")));
        var name = string.Create(CultureInfo.InvariantCulture, $"bff-{server.Port}");
        Sentinel.Value.Command("SENTINEL", "MONITOR", name, "127.0.0.1", server.Port.ToString(CultureInfo.InvariantCulture), "1");
        Sentinel.Value.Command("SENTINEL", "SET", name, "down-after-milliseconds", "3600000");
        return server;
    }

    public override void Dispose()
    {
        Sentinel.Value.Command("SENTINEL", "REMOVE", name);
        base.Dispose();
    }
}
