using System.Globalization;

namespace Bff.TestKit;

/// <summary>A Redis server behind one address that can get into trouble and out of it without losing acknowledged writes.</summary>
public sealed class TroubledRedis : IDisposable
{
    private readonly RedisServer _server = RedisServer.RunAlone();
    private readonly RedisRoute _route;
    private RedisServer? _replica;

    public TroubledRedis() => _route = new(_server);

    /// <summary>Value for <c>ConnectionStrings:redis</c>; does not change.</summary>
    public string ConnectionString => _route.Address;

    /// <summary>Starts the trouble.</summary>
    public async Task Begin(RedisTrouble trouble)
    {
        switch (trouble)
        {
            case RedisTrouble.Frozen:
                _server.Freeze();
                break;
            case RedisTrouble.Killed:
                _server.Stop();
                break;
            case RedisTrouble.Restarted:
                _server.Stop();
                _server.Start();
                break;
            case RedisTrouble.Slow:
                _route.Delay = TimeSpan.FromMilliseconds(150);
                break;
            case RedisTrouble.Moved:
                await Promote();
                break;
            case RedisTrouble.Full:
                _server.Command("CONFIG", "SET", "maxmemory", "1");
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(trouble));
        }
    }

    /// <summary>Ends the trouble.</summary>
    public void End(RedisTrouble trouble)
    {
        switch (trouble)
        {
            case RedisTrouble.Frozen:
                _server.Continue();
                break;
            case RedisTrouble.Killed:
                _server.Start();
                break;
            case RedisTrouble.Slow:
                _route.Delay = TimeSpan.Zero;
                break;
            case RedisTrouble.Full:
                _server.Command("CONFIG", "SET", "maxmemory", "0");
                break;
            default:
                break; // The trouble ended at once.
        }
    }

    public void Dispose()
    {
        _route.Dispose();
        _replica?.Dispose();
        _server.Dispose();
    }

    private async Task Promote()
    {
        _replica = RedisServer.Run("--replicaof", "127.0.0.1 " + _server.Port.ToString(CultureInfo.InvariantCulture));
        await Eventually.True(() => _replica.Command("INFO", "replication").Contains("master_link_status:up", StringComparison.Ordinal));

        // Nobody writes meanwhile, and writes arrive in order: once the replica has this one, it has all.
        _server.Command("SET", "bff:test:last", "1");
        await Eventually.True(() => _replica.Command("EXISTS", "bff:test:last").StartsWith(":1", StringComparison.Ordinal));
        _replica.Command("REPLICAOF", "NO", "ONE");
        _route.LeadTo(_replica);
        _server.Stop();
    }
}
