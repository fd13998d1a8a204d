namespace Bff.TestKit;

/// <summary>What stands between a server and those who use it, where it is not a plain address.</summary>
internal abstract class RedisReach : IDisposable
{
    /// <summary>For <c>ConnectionStrings:redis</c>.</summary>
    public abstract string ConnectionString { get; }

    /// <summary>Needed beside it.</summary>
    public virtual IEnumerable<KeyValuePair<string, string?>> Settings => [];

    public static RedisServer Start(RedisEngine engine) =>
        engine switch
        {
            RedisEngine.Tls => RedisOverTls.Start(),
            RedisEngine.Sentinel => RedisBehindSentinel.Start(),
            RedisEngine.Rotation => RotatingRedisPassword.Start(),
            RedisEngine.Cluster => MovingRedisCluster.Start(),
            _ => RedisServer.RunAlone(),
        };

    /// <summary>The servers that share the keys with it; they are started, frozen and stopped with it.</summary>
    public virtual IReadOnlyList<RedisServer> Others => [];

    /// <summary>A test's own command, where not every server can answer it; null: it goes to the server.</summary>
    public virtual string? Command(string[] words) => null;

    /// <summary>The server is about to be gone or silent.</summary>
    public virtual void Pause() { }

    /// <summary>It is back.</summary>
    public virtual void Resume() { }

    public virtual void Dispose() { }
}
