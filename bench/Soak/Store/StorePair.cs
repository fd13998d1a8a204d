using Bff.TestKit;

namespace Bff.Bench.Soak.Store;

/// <summary>
/// A primary and its replica, both append-only with every write on disk before it is answered. A failover to the replica while the relay is
/// held loses what the primary has answered since.
/// </summary>
internal sealed class StorePair : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-soak-clocks-").FullName;
    private readonly Relay _relay = new();
    private readonly ServerClock[] _clocks;
    private readonly RedisServer[] _servers;
    private int _primary;

    private StorePair()
    {
        _clocks = [new(Path.Combine(_folder, "a")), new(Path.Combine(_folder, "b"))];
        Array.ForEach(_clocks, c => c.SetBack(0));
        string[] common = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", "--enable-debug-command", "yes"];
        var first = RedisServer.Run(_clocks[0].Environment, common);
        _relay.Target = first.Port;
        var second = RedisServer.Run(_clocks[1].Environment, common);
        second.Command("REPLICAOF", "127.0.0.1", $"{_relay.Port}"); // Not an argument: a promoted server must restart as primary.
        _servers = [first, second];
    }

    public RedisServer Primary => _servers[_primary];

    public ServerClock PrimaryClock => _clocks[_primary];

    public ServerClock ReplicaClock => _clocks[1 - _primary];

    /// <summary>Connection string with both servers; the client library finds out their roles.</summary>
    public string ConnectionString => $"{_servers[0].Address},{_servers[1].Address}";

    private string[] AsReplica => ["--replicaof", $"127.0.0.1 {_relay.Port}"];

    private RedisServer Replica => _servers[1 - _primary];

    public static StorePair Start() => new();

    /// <summary>Whether the replica has all data and receives new writes.</summary>
    public bool IsInStep()
    {
        var info = Replica.Command("INFO", "replication");
        return info.Contains("master_link_status:up", StringComparison.Ordinal)
            && info.Contains("master_sync_in_progress:0", StringComparison.Ordinal);
    }

    /// <summary>Keeps the replica connected but without new writes.</summary>
    public void Lag() => _relay.Hold();

    /// <summary>Kills the primary, so that writes the replica has not received are lost.</summary>
    public void Crash()
    {
        Primary.Stop();
        _relay.Cut();
    }

    /// <summary>Promotes the replica and restarts the old primary as its replica.</summary>
    public void Promote()
    {
        Replica.Command("REPLICAOF", "NO", "ONE");
        _primary = 1 - _primary;
        _relay.Target = Primary.Port;
        Replica.Start(AsReplica);
    }

    public async ValueTask DisposeAsync()
    {
        Array.ForEach(_servers, s => s.Dispose());
        await _relay.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
