using StackExchange.Redis;

namespace Bff.State;

/// <summary>One multiplexer and what is used of it.</summary>
internal sealed class RedisConnection(ConnectionMultiplexer multiplexer) : IDisposable
{
    public IDatabase Database { get; } = multiplexer.GetDatabase();

    public ISubscriber Subscriber { get; } = multiplexer.GetSubscriber();

    public bool IsConnected => multiplexer.IsConnected;

    /// <summary>Never fails because the server is away; then the result is simply not connected.</summary>
    /// <param name="connectionString">Where.</param>
    /// <param name="patience">How long connecting may take.</param>
    /// <param name="lost">Told, in the background, that no server was connected any more. The client library may have connected again since.</param>
    /// <param name="restored">Told, in the background, that a lost server is connected again; not yet that it answers.</param>
    public static async Task<RedisConnection> Open(string connectionString, TimeSpan patience, Action<RedisConnection> lost, Action restored)
    {
        var options = ConfigurationOptions.Parse(connectionString, ignoreUnknown: true);
        options.BacklogPolicy = BacklogPolicy.FailFast; // By default each command waits out its whole timeout while no server is connected.
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = (int)patience.TotalMilliseconds;
        options.ConnectRetry = 1;
        options.KeepAlive = 5;
        options.ConfigCheckSeconds = 10;
        options.TieBreaker = ""; // Read-only discovery: no key and no channel outside of bff:.
        options.ConfigurationChannel = "";
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(options);
        var connection = new RedisConnection(multiplexer);
        multiplexer.ConnectionFailed += (_, failure) =>
        {
            if (failure.ConnectionType == ConnectionType.Interactive && (!multiplexer.IsConnected || multiplexer.GetEndPoints().Length == 1))
            {
                lost(connection);
            }
        };
        multiplexer.ConnectionRestored += (_, _) => restored();
        return connection;
    }

    public void Dispose()
    {
        multiplexer.Close(allowCommandsToComplete: false);
        multiplexer.Dispose();
    }
}
