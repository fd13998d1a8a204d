using System.Diagnostics;
using System.Net;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>One multiplexer and what is used of it; beside it, with <c>State:Replicas</c>, the connection of durable writes.</summary>
internal sealed class RedisConnection(ConnectionMultiplexer multiplexer, string? password) : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan ShortestHeartbeat = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestHeartbeat = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LateAnswer = TimeSpan.FromSeconds(5);

    public IDatabase Database { get; } = multiplexer.GetDatabase();

    public ISubscriber Subscriber { get; } = multiplexer.GetSubscriber();

    /// <summary>Null: durable writes are written as all others.</summary>
    public DurableWrites? Durable { get; private set; }

    /// <summary>What the password's file said when it was opened.</summary>
    public string? Password => password;

    public bool IsConnected => multiplexer.IsConnected;

    /// <summary>Whether several servers share the keys.</summary>
    public bool IsCluster => multiplexer.HashSlot("bff") >= 0; // Of a single server the client library computes none.

    /// <summary>Whether durable writes, if there is a connection for them, reach the same server as all others.</summary>
    public bool IsWhole => Durable is null || (Durable.IsConnected && Durable.Server.Equals(Primary));

    private EndPoint? Primary =>
        multiplexer.GetServers().FirstOrDefault(static server => server is { IsConnected: true, IsReplica: false })?.EndPoint;

    /// <summary>Whether every server that is known is connected.</summary>
    public bool ReachesAll => multiplexer.GetServers().All(static server => server.IsConnected);

    /// <summary>Never fails because the server is away; then the result is simply not connected.</summary>
    /// <param name="access">Where, and with what.</param>
    /// <param name="timeout">How long connecting may take.</param>
    /// <param name="heartbeat">How often the client library looks after its connections: as long as an operation may take.</param>
    /// <param name="replicas">How many must have a durable write.</param>
    /// <param name="lost">Told, in the background, that no server was connected any more. The client library may have connected again
    /// since.</param>
    /// <param name="restored">Told, in the background, that a lost server is connected again; not yet that it answers.</param>
    public static async Task<RedisConnection> Open(
        RedisAccess access,
        TimeSpan timeout,
        TimeSpan heartbeat,
        int replicas,
        Action<RedisConnection> lost,
        Action restored
    )
    {
        var asked = Stopwatch.StartNew();
        var password = access.Password();
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(Options(access, password, timeout, heartbeat));
        var connection = new RedisConnection(multiplexer, password);
        multiplexer.ConnectionFailed += (_, failure) =>
        {
            if (
                failure.ConnectionType == ConnectionType.Interactive
                && (!multiplexer.IsConnected || multiplexer.GetEndPoints().Length == 1)
            )
            {
                lost(connection);
            }
        };
        multiplexer.ConnectionRestored += (_, _) => restored();
        while (connection.IsConnected && !await connection.HasSubscriptions(timeout) && asked.Elapsed < timeout)
        {
            await Task.Delay(Look);
        }

        if (replicas > 0 && connection is { IsCluster: false, Primary: { } primary })
        {
            // Half of the time: a write that comes while a WAIT is under way has the other half for its own.
            connection.Durable = await DurableWrites.Open(Options(access, password, timeout, heartbeat), primary, replicas, heartbeat / 2);
        }

        return connection;
    }

    private static ConfigurationOptions Options(RedisAccess access, string? password, TimeSpan timeout, TimeSpan heartbeat)
    {
        var options = access.Options(password);
        options.BacklogPolicy = BacklogPolicy.FailFast; // By default each command waits out its whole timeout while no server is connected.
        options.AbortOnConnectFail = false;
        options.IncludeDetailInExceptions = false; // Keys name people.
        options.ConnectTimeout = (int)timeout.TotalMilliseconds;
        // The caller gives up earlier, by State:Timeout.
        options.AsyncTimeout = (int)Math.Max(LateAnswer.TotalMilliseconds, 2 * timeout.TotalMilliseconds);
        options.ConnectRetry = 1;
        options.HeartbeatInterval =
            heartbeat < ShortestHeartbeat ? ShortestHeartbeat
            : heartbeat > LongestHeartbeat ? LongestHeartbeat
            : heartbeat;
        // An answer that is not the one expected ends the connection, before it is taken for another's.
        options.HeartbeatConsistencyChecks = true;
        options.ReconnectRetryPolicy = new LinearRetry((int)ShortestHeartbeat.TotalMilliseconds); // By default it backs off up to a minute.
        options.KeepAlive = 5;
        options.ConfigCheckSeconds = 10;
        options.TieBreaker = ""; // Read-only discovery: no key and no channel outside of bff:.
        options.ConfigurationChannel = "";
        return options;
    }

    /// <summary>
    /// Whether a server answers on the subscriptions' own connection. In a cluster each ping goes to another server, and the client library
    /// makes a server's connection for subscriptions when it is first asked for: what it refuses until then is asked once more.
    /// </summary>
    /// <exception cref="RedisConnectionException">There is no such connection, in a cluster after so long.</exception>
    public async Task PingSubscriptions(TimeSpan within)
    {
        var asked = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await Subscriber.PingAsync();
                return;
            }
            catch (RedisConnectionException) when (MayBeMadeYet(asked, within))
            {
                await Task.Delay(Look);
            }
        }
    }

    /// <summary>Hears the channel, on whichever server the client library chooses.</summary>
    /// <exception cref="RedisConnectionException">That server has no connection for subscriptions, in a cluster after so long.</exception>
    /// <exception cref="TimeoutException">No answer for so long.</exception>
    public async Task Subscribe(string channel, Action<string> handler, TimeSpan within)
    {
        var asked = Stopwatch.StartNew();
        try
        {
            await Subscriber.SubscribeAsync(RedisChannel.Literal(channel), (_, message) => handler(message!)).WaitAsync(within);
        }
        catch (RedisConnectionException) when (MayBeMadeYet(asked, within))
        {
            // The client library keeps what it has refused, and subscribes once that connection is made. A second request could be heard
            // twice.
            while (HeardFrom(channel) is null)
            {
                if (!MayBeMadeYet(asked, within))
                {
                    throw;
                }

                await Task.Delay(Look);
            }
        }
    }

    /// <summary>The server that has taken the subscription and has not been lost since; null: none.</summary>
    public EndPoint? HeardFrom(string channel) => Subscriber.SubscribedEndpoint(RedisChannel.Literal(channel));

    private bool MayBeMadeYet(Stopwatch asked, TimeSpan within) => IsConnected && IsCluster && asked.Elapsed < within;

    /// <summary>
    /// The client library makes the subscriptions' own connection when it is first asked for, and refuses what is to be sent there until
    /// then.
    /// </summary>
    private async Task<bool> HasSubscriptions(TimeSpan timeout)
    {
        try
        {
            await Subscriber.PingAsync().WaitAsync(timeout);
            return true;
        }
        catch (Exception notYet) when (notYet is RedisException or TimeoutException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        Durable?.Dispose();
        multiplexer.Close(allowCommandsToComplete: false);
        multiplexer.Dispose();
    }
}
