namespace Bff.TestKit;

/// <summary>The way to reach a server that has more than a plain address.</summary>
internal abstract class RedisReach : IDisposable
{
    /// <summary>Value for <c>ConnectionStrings:redis</c>.</summary>
    public abstract string ConnectionString { get; }

    /// <summary>Further settings that are needed.</summary>
    public virtual IEnumerable<KeyValuePair<string, string?>> Settings => [];

    public static RedisServer Start(RedisEngine engine) =>
        engine switch
        {
            RedisEngine.Tls => RedisOverTls.Start(),
            RedisEngine.Sentinel => RedisBehindSentinel.Start(),
            RedisEngine.Rotation => RotatingRedisPassword.Start(),
            RedisEngine.Cluster => MovingRedisCluster.Start(),
            RedisEngine.Replica => RedisWithReplica.Start(),
            _ => RedisServer.RunAlone(),
        };

    /// <summary>Further servers that share its keys; they are started, frozen and stopped with it.</summary>
    public virtual IReadOnlyList<RedisServer> Others => [];

    /// <summary>Sends a test's own command if not every server can answer it; null sends it to the server.</summary>
    public virtual string? Command(string[] words) => null;

    /// <summary>Called before the server is stopped or frozen.</summary>
    public virtual void Pause() { }

    /// <summary>Called when the server is back.</summary>
    public virtual void Resume() { }

    public virtual void Dispose() { }
}
