using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.State;

/// <content>
/// Durable writes (<c>State:Replicas</c>) are acknowledged once enough replicas have them. When too few replicas have them, durable writes
/// fail at once until a probe finds enough again. Reads and other writes continue.
/// </content>
public sealed partial class RedisState
{
    private readonly int _replicas;
    private readonly StoreCircuit _durability;
    private bool _saidCluster;

    /// <summary>
    /// Runs a write that a failover must not lose; otherwise like <see cref="Run"/>. For scripts, see <see cref="RedisScript.Durable"/>.
    /// </summary>
    /// <exception cref="StoreUnavailableException">As for <see cref="Run"/>, or fewer replicas than <c>State:Replicas</c> have the write in
    /// time.</exception>
    /// <exception cref="StoreRefusedException">As for <see cref="Run"/>.</exception>
    public Task<T> Write<T>(string command, Func<IDatabase, Task<T>> operation, CancellationToken cancellation = default) =>
        Traced(command, operation, isDurable: true, cancellation);

    private async Task<T> OnReplicas<TOperation, T>(
        TOperation operation,
        Func<TOperation, IDatabase, Task<T>> start,
        RedisConnection connection
    )
    {
        if (_durability.IsOpen || connection.Durable is not { IsConnected: true } writes)
        {
            throw new StoreUnavailableException();
        }

        var result = await start(operation, writes.Database);
        if (!_durability.IsOpen && await writes.AreReplicated())
        {
            return result;
        }

        FellShort();
        throw Refused("NOREPLICAS Fewer replicas than State:Replicas have the write.");
    }

    /// <summary>Opens the durability circuit, because each further write would wait for its own WAIT in vain.</summary>
    private void FellShort()
    {
        if (!_durability.IsOpen)
        {
            _durability.Open();
            SayAway(_durability);
            Wake();
        }
    }

    private async Task ProbeReplicas(DurableWrites writes)
    {
        var asked = _time.GetTimestamp();
        var wasShort = _durability.IsOpen;
        var answer = writes.AreReplicated();
        try
        {
            if (!await answer.WaitAsync(_timeout, _time, _stopping.Token))
            {
                FellShort();
            }
            else if (_durability.Close(asked) && wasShort)
            {
                LogEnough(_logger, _replicas);
            }
        }
        catch (TimeoutException)
        {
            Forget(answer);
            FellShort();
        }
        catch (RedisException refused)
        {
            FellShort();
            if (refused is RedisServerException)
            {
                Refused(refused); // Counts and logs the error.
            }
        }
    }

    /// <summary>
    /// Whether durable writes are possible as <c>State:Replicas</c> demands. If they are not, the connection is not used, so the setting is
    /// never weakened.
    /// </summary>
    private bool MayKeep(RedisConnection connection)
    {
        if (_replicas > 0 && connection is { IsConnected: true, IsCluster: true } && !_saidCluster)
        {
            _saidCluster = true;
            LogCluster(_logger);
        }

        return _replicas == 0 || connection.Durable is { IsConnected: true };
    }

    private void OnDurableLost(RedisConnection connection)
    {
        if (connection == _connection)
        {
            _replace = true;
            Wake();
        }
    }

    [LoggerMessage(
        1310,
        LogLevel.Warning,
        "Fewer than {Replicas} replicas of Redis had the latest writes in time (State:Replicas); durable writes are refused until enough "
            + "replicas have caught up",
        EventName = "RedisReplicasFellShort"
    )]
    private static partial void LogShort(ILogger logger, int replicas);

    [LoggerMessage(
        1311,
        LogLevel.Information,
        "At least {Replicas} replicas of Redis have the latest writes again (State:Replicas); durable writes are accepted",
        EventName = "RedisReplicasCaughtUp"
    )]
    private static partial void LogEnough(ILogger logger, int replicas);

    [LoggerMessage(
        1312,
        LogLevel.Error,
        "State:Replicas cannot be used with a cluster, because WAIT names no key and could reach a different "
            + "server than the write; Redis is "
            + "not used until State:Replicas is 0",
        EventName = "RedisReplicasOfCluster"
    )]
    private static partial void LogCluster(ILogger logger);
}
