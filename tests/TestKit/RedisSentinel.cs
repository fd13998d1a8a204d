using System.Globalization;

namespace Bff.TestKit;

/// <summary>A real Sentinel that watches one primary and fails over on command.</summary>
public sealed class RedisSentinel : IDisposable
{
    private readonly RedisServer _process;
    private readonly string _name;

    private RedisSentinel(RedisServer process, string name) => (_process, _name) = (process, name);

    public string Address => _process.Address;

    /// <summary>Port of the primary according to Sentinel.</summary>
    public int PrimaryPort =>
        int.Parse(_process.Command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", _name).Split("\r\n")[4], CultureInfo.InvariantCulture);

    /// <summary>Starts a Sentinel and waits until it knows the primary's replicas.</summary>
    public static RedisSentinel Run(string name, RedisServer primary)
    {
        ArgumentNullException.ThrowIfNull(primary);
        var sentinel = new RedisSentinel(RedisServer.RunSentinel(), name);
        sentinel._process.Command("SENTINEL", "MONITOR", name, "127.0.0.1", primary.Port.ToString(CultureInfo.InvariantCulture), "1");
        sentinel._process.Command("SENTINEL", "SET", name, "down-after-milliseconds", "1000", "failover-timeout", "3000");
        while (!sentinel._process.Command("SENTINEL", "MASTER", name).Contains("num-slaves\r\n$1\r\n1", StringComparison.Ordinal))
        {
            Thread.Sleep(20); // Waits for another program, which gives no signal.
        }

        return sentinel;
    }

    /// <summary>Starts a failover; returns false while no replica can take over yet.</summary>
    public bool TryFailover() => _process.Command("SENTINEL", "FAILOVER", _name).StartsWith("+OK", StringComparison.Ordinal);

    public void Failover() => _process.Command("SENTINEL", "FAILOVER", _name);

    public void Dispose() => _process.Dispose();
}
