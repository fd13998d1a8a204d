using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>
/// The connection for writes that a failover must not lose (<c>State:Replicas</c>). 1. It carries nothing else, because WAIT blocks the
/// commands behind it, and reads and limits must not wait for a replica. 2. It is one TCP connection to one server and never reconnects,
/// because WAIT only covers the writes of its own connection and always succeeds on a new one. 3. One WAIT at a time covers all writes that
/// were answered before it. Writes that are answered meanwhile share the next WAIT.
/// </summary>
internal sealed class DurableWrites : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ConnectionMultiplexer _multiplexer;
    private readonly object[] _arguments;
    private readonly int _replicas;
    private Task<bool> _asked = Task.FromResult(true);
    private Task<bool>? _next;

    private DurableWrites(ConnectionMultiplexer multiplexer, EndPoint server, int replicas, TimeSpan within)
    {
        (_multiplexer, Server, _replicas) = (multiplexer, server, replicas);
        _arguments = [replicas, Math.Max(1, (long)within.TotalMilliseconds)]; // WAIT with 0 would block without a limit.
        Database = multiplexer.GetDatabase();
        multiplexer.ConnectionFailed += (_, failure) =>
        {
            if (failure.ConnectionType == ConnectionType.Interactive)
            {
                Lost?.Invoke();
            }
        };
    }

    /// <summary>Raised in the background when the connection has ended; it never comes back.</summary>
    public event Action? Lost;

    public IDatabase Database { get; }

    /// <summary>The server that was the primary when the connection was opened.</summary>
    public EndPoint Server { get; }

    public bool IsConnected => _multiplexer.IsConnected;

    /// <summary>Opens the connection. If the server is unavailable, this does not throw; the result is not connected.</summary>
    /// <param name="options">Options of a connection to any server; this method changes them.</param>
    /// <param name="primary">The server that takes the writes.</param>
    /// <param name="replicas">Number of replicas that must have each write.</param>
    /// <param name="within">Longest time that one WAIT may block the connection.</param>
    public static async Task<DurableWrites> Open(ConfigurationOptions options, EndPoint primary, int replicas, TimeSpan within)
    {
        var connections = 0;
        options.EndPoints.Clear();
        options.EndPoints.Add(primary);
        options.ServiceName = null;
        options.BeforeSocketConnect = (_, kind, _) =>
        {
            if (kind == ConnectionType.Interactive && Interlocked.Increment(ref connections) > 1)
            {
                throw new SocketException((int)SocketError.ConnectionAborted); // See 2.
            }
        };
        return new(await ConnectionMultiplexer.ConnectAsync(options), primary, replicas, within);
    }

    /// <summary>Returns whether enough replicas have, in time, all writes that were answered on this connection before the call.</summary>
    /// <exception cref="RedisException">The connection has ended, or the server refuses WAIT.</exception>
    public Task<bool> AreReplicated()
    {
        lock (_lock)
        {
            return _next ??= AskAfter(_asked);
        }
    }

    public void Dispose()
    {
        _multiplexer.Close(allowCommandsToComplete: false);
        _multiplexer.Dispose();
    }

    private async Task<bool> AskAfter(Task before)
    {
        await Task.Yield(); // Leaves the lock. Writes that are answered by then are covered too.
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            (_asked, _next) = (_next!, null); // Later callers may have been answered after the WAIT was sent.
        }

        try
        {
            return (long)await Database.ExecuteAsync("WAIT", _arguments, CommandFlags.DemandMaster) >= _replicas;
        }
        catch (RedisServerException demoted) when (demoted.Message.Contains("replica instances", StringComparison.Ordinal))
        {
            // The server has become a replica. A write would be answered with READONLY, so WAIT is reported alike.
            throw new RedisServerException(RedisErrorKind.ReadOnly, CommandFlags.DemandMaster, "READONLY " + demoted.Message);
        }
    }
}
