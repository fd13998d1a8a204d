using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.State;

/// <content>
/// Durable writes (<c>State:Replicas</c>): acknowledged once enough replicas have them. Where these fall short of it, durable writes fail
/// at once until a probe finds them again; reads and what need not be durable go on.
/// </content>
public sealed partial class RedisState
{
    private readonly int _replicas;
    private readonly StoreCircuit _durability;
    private bool _saidCluster;

    /// <summary>
    /// As <see cref="Run"/>, for a write that a failover must not lose; see <see cref="RedisScript.Durable"/> for one that is a script.
    /// </summary>
    /// <exception cref="StoreUnavailableException">As for <see cref="Run"/>; or fewer replicas than <c>State:Replicas</c> have it in
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

    /// <summary>Those that wait for a WAIT of their own would each wait in vain.</summary>
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
                Refused(refused); // Counted and logged.
            }
        }
    }

    /// <summary>Whether durable writes can be kept as the setting says: it never means less for want of a way.</summary>
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
        "Fewer than {Replicas} replicas of Redis have the latest writes in time (State:Replicas); writes that a failover must not lose are "
            + "refused until they do",
        EventName = "RedisReplicasFellShort"
    )]
    private static partial void LogShort(ILogger logger, int replicas);

    [LoggerMessage(
        1311,
        LogLevel.Information,
        "At least {Replicas} replicas of Redis have the latest writes again (State:Replicas); writes are taken",
        EventName = "RedisReplicasCaughtUp"
    )]
    private static partial void LogEnough(ILogger logger, int replicas);

    [LoggerMessage(
        1312,
        LogLevel.Error,
        "State:Replicas cannot be used with a cluster, because WAIT, which names no key, could ask another server than the one that has the "
            + "write; Redis is not used until State:Replicas is 0",
        EventName = "RedisReplicasOfCluster"
    )]
    private static partial void LogCluster(ILogger logger);
}
