namespace Bff.TestKit;

/// <summary>A server with a replica that must have what is acknowledged.</summary>
internal sealed class RedisWithReplica(RedisServer primary) : RedisReach
{
    private readonly RedisServer _primary = primary;
    private readonly RedisServer _replica = RedisPair.RunReplica(primary);

    public override string ConnectionString { get; } = primary.Address + RedisServer.AsUser;

    public override IEnumerable<KeyValuePair<string, string?>> Settings => [new("State:Replicas", "1")];

    public override IReadOnlyList<RedisServer> Others => [_replica];

    public static RedisServer Start() =>
        RedisServer.RunAlone(
            static server =>
            {
                var reach = new RedisWithReplica(server);
                reach.Resume();
                return reach;
            },
            RedisPair.Eager
        );

    public override void Resume() => RedisPair.WaitFor(_primary);
}
