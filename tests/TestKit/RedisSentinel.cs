using System.Globalization;

namespace Bff.TestKit;

/// <summary>A real Sentinel that watches one primary. It fails over on command, or when the primary does not answer.</summary>
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
    /// <param name="name">Name of the group of servers.</param>
    /// <param name="primary">The primary, which has one replica.</param>
    /// <param name="downAfter">How long a primary may be silent before the Sentinel fails over by itself. By default it is so long that
    /// a busy machine does not cause a failover.</param>
    public static RedisSentinel Run(string name, RedisServer primary, TimeSpan? downAfter = null)
    {
        ArgumentNullException.ThrowIfNull(primary);
        var sentinel = new RedisSentinel(RedisServer.RunSentinel(), name);
        sentinel._process.Command("SENTINEL", "MONITOR", name, "127.0.0.1", primary.Port.ToString(CultureInfo.InvariantCulture), "1");
        var down = ((int)(downAfter ?? TimeSpan.FromMinutes(1)).TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        sentinel._process.Command("SENTINEL", "SET", name, "down-after-milliseconds", down, "failover-timeout", "3000");
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
