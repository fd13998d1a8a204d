using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>
/// The connection of writes that a failover must not lose (<c>State:Replicas</c>). 1. It carries nothing else: WAIT holds up what is sent
/// behind it, and reads and limits must not wait for a replica. 2. It is one TCP connection to one server and never another. WAIT speaks
/// of what its own connection has asked before, and says of a new one that all is well. 3. One WAIT at a time asks for all writes that
/// were answered before it; those that are answered meanwhile share the next one.
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
        _arguments = [replicas, Math.Max(1, (long)within.TotalMilliseconds)]; // 0 would wait for ever.
        Database = multiplexer.GetDatabase();
        multiplexer.ConnectionFailed += (_, failure) =>
        {
            if (failure.ConnectionType == ConnectionType.Interactive)
            {
                Lost?.Invoke();
            }
        };
    }

    /// <summary>Told, in the background, that the connection has ended; it never comes back.</summary>
    public event Action? Lost;

    public IDatabase Database { get; }

    /// <summary>The primary when it was opened.</summary>
    public EndPoint Server { get; }

    public bool IsConnected => _multiplexer.IsConnected;

    /// <summary>Never fails because the server is away; then the result is simply not connected.</summary>
    /// <param name="options">Of a connection to any server; are changed.</param>
    /// <param name="primary">Where the writes go.</param>
    /// <param name="replicas">How many must have them.</param>
    /// <param name="within">How long one WAIT may hold up the connection.</param>
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

    /// <summary>Whether enough replicas have, in time, all that was answered on this connection before the call.</summary>
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
        await Task.Yield(); // Not within the lock; and what is answered by then takes part.
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            (_asked, _next) = (_next!, null); // Who comes from here on may have been answered after the WAIT was sent.
        }

        try
        {
            return (long)await Database.ExecuteAsync("WAIT", _arguments, CommandFlags.DemandMaster) >= _replicas;
        }
        catch (RedisServerException demoted) when (demoted.Message.Contains("replica instances", StringComparison.Ordinal))
        {
            // What a replica answers to a write.
            throw new RedisServerException(RedisErrorKind.ReadOnly, CommandFlags.DemandMaster, "READONLY " + demoted.Message);
        }
    }
}
