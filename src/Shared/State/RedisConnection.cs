using System.Diagnostics;
using System.Net;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>Wraps one multiplexer and, with <c>State:Replicas</c>, the separate connection for durable writes.</summary>
internal sealed class RedisConnection(ConnectionMultiplexer multiplexer, string? password) : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan ShortestHeartbeat = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestHeartbeat = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LateAnswer = TimeSpan.FromSeconds(5);

    public IDatabase Database { get; } = multiplexer.GetDatabase();

    public ISubscriber Subscriber { get; } = multiplexer.GetSubscriber();

    /// <summary>Connection for durable writes; null when they use the same connection as all other commands.</summary>
    public DurableWrites? Durable { get; private set; }

    /// <summary>Password from the file when the connection was opened.</summary>
    public string? Password => password;

    public bool IsConnected => multiplexer.IsConnected;

    /// <summary>Whether the keys are spread over the servers of a cluster.</summary>
    public bool IsCluster => multiplexer.HashSlot("bff") >= 0; // The client library computes no hash slots for a single server.

    /// <summary>Whether the connection for durable writes, if there is one, is connected to the current primary.</summary>
    public bool IsWhole => Durable is null || (Durable.IsConnected && Durable.Server.Equals(Primary));

    private EndPoint? Primary =>
        multiplexer.GetServers().FirstOrDefault(static server => server is { IsConnected: true, IsReplica: false })?.EndPoint;

    /// <summary>Whether every known server is connected.</summary>
    public bool ReachesAll => multiplexer.GetServers().All(static server => server.IsConnected);

    /// <summary>Opens a connection. If the server is unavailable, this does not throw; the result is not connected.</summary>
    /// <param name="access">Address, credentials and certificates.</param>
    /// <param name="timeout">Longest time to connect.</param>
    /// <param name="heartbeat">How often the client library checks its connections: the timeout of an operation.</param>
    /// <param name="replicas">Number of replicas that must have a durable write.</param>
    /// <param name="lost">Called in the background when no server was connected any more. The client library may have reconnected
    /// since.</param>
    /// <param name="restored">Called in the background when a lost server is connected again. It may not answer yet.</param>
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
            // A WAIT gets half of the timeout, so that a write that arrives during a WAIT has the other half for its own.
            connection.Durable = await DurableWrites.Open(Options(access, password, timeout, heartbeat), primary, replicas, heartbeat / 2);
        }

        return connection;
    }

    private static ConfigurationOptions Options(RedisAccess access, string? password, TimeSpan timeout, TimeSpan heartbeat)
    {
        var options = access.Options(password);
        options.BacklogPolicy = BacklogPolicy.FailFast; // By default, commands wait their whole timeout while no server is connected.
        options.AbortOnConnectFail = false;
        options.IncludeDetailInExceptions = false; // Keys contain personal data.
        options.ConnectTimeout = (int)timeout.TotalMilliseconds;
        // Callers stop waiting earlier, after State:Timeout.
        options.AsyncTimeout = (int)Math.Max(LateAnswer.TotalMilliseconds, 2 * timeout.TotalMilliseconds);
        options.ConnectRetry = 1;
        options.HeartbeatInterval =
            heartbeat < ShortestHeartbeat ? ShortestHeartbeat
            : heartbeat > LongestHeartbeat ? LongestHeartbeat
            : heartbeat;
        // A connection with an unexpected answer is closed before the answer can reach the wrong command.
        options.HeartbeatConsistencyChecks = true;
        options.ReconnectRetryPolicy = new LinearRetry((int)ShortestHeartbeat.TotalMilliseconds); // The default backs off up to a minute.
        options.KeepAlive = 5;
        options.ConfigCheckSeconds = 10;
        options.TieBreaker = ""; // Read-only discovery: no key and no channel outside of bff:.
        options.ConfigurationChannel = "";
        return options;
    }

    /// <summary>
    /// Pings a server on the connection for subscriptions. In a cluster, each ping goes to a different server. The client library opens a
    /// server's connection for subscriptions when it is first needed and refuses commands until then, so a refused ping is repeated.
    /// </summary>
    /// <exception cref="RedisConnectionException">There is no such connection; in a cluster, not even after <paramref
    /// name="within"/>.</exception>
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

    /// <summary>Subscribes to the channel on the server that the client library chooses.</summary>
    /// <exception cref="RedisConnectionException">That server has no connection for subscriptions; in a cluster, not even after <paramref
    /// name="within"/>.</exception>
    /// <exception cref="TimeoutException">The server did not answer within <paramref name="within"/>.</exception>
    public async Task Subscribe(string channel, Action<string> handler, TimeSpan within)
    {
        var asked = Stopwatch.StartNew();
        try
        {
            await Subscriber.SubscribeAsync(RedisChannel.Literal(channel), (_, message) => handler(message!)).WaitAsync(within);
        }
        catch (RedisConnectionException) when (MayBeMadeYet(asked, within))
        {
            // The client library keeps a refused subscription and subscribes once that connection is open. With a second request, messages
            // could arrive twice.
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

    /// <summary>Returns the server that holds the subscription and has not been lost since, or null.</summary>
    public EndPoint? HeardFrom(string channel) => Subscriber.SubscribedEndpoint(RedisChannel.Literal(channel));

    private bool MayBeMadeYet(Stopwatch asked, TimeSpan within) => IsConnected && IsCluster && asked.Elapsed < within;

    /// <summary>
    /// Returns whether the connection for subscriptions is open. The client library opens it when it is first needed and refuses commands
    /// until then.
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
