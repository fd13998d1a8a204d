using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>
/// The one connection to Redis: a single server, a primary with replicas, or a cluster.
/// 1. It connects in the background; the host starts with Redis away. 2. An operation waits at most <c>State:Timeout</c>.
/// 3. Once Redis is known to be away (disconnected, or silent for that long) operations fail at once.
/// 4. A background probe finds out when it is back, also when no request comes; then <see cref="Reconnected"/> is raised. 5. In a cluster
/// what meets a slot on its way to another server is tried again within its time. 6. With <c>State:Replicas</c> a durable write has a
/// connection of its own and waits for the replicas.
/// </summary>
public sealed partial class RedisState : IDisposable
{
    private readonly RedisAccess? _access;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly ILogger<RedisState> _logger;
    private readonly StoreCircuit _circuit;
    private readonly Lazy<Task> _supervision;
    private volatile RedisConnection? _connection;
    private volatile bool _hasWaited;

    /// <summary>Does not connect yet.</summary>
    public RedisState(IConfiguration configuration, IOptions<StateOptions> options, ILogger<RedisState> logger)
        : this(configuration, options, logger, TimeProvider.System) // The server keeps real time, whatever clock the host is given.
    { }

    internal RedisState(IConfiguration configuration, IOptions<StateOptions> options, ILogger<RedisState> logger, TimeProvider time)
    {
        _access = RedisAccess.Of(configuration, new ConfigurationMistakes()); // Mistakes have stopped the host.
        _timeout = options.Value.Timeout;
        _time = time;
        _logger = logger;
        _circuit = new(_timeout, time);
        (_replicas, _durability) = (options.Value.Replicas, new(_timeout, time));
        _supervision = new(() => Task.Run(Supervise));
    }

    /// <summary>Whether <c>ConnectionStrings:redis</c> is set; false: the stores are embedded.</summary>
    public bool IsConfigured => _access is not null;

    /// <summary>Whether an operation would be tried now. For readiness and for choosing what to do without asking.</summary>
    public bool IsAvailable => !_circuit.IsOpen && _connection is { IsConnected: true };

    /// <summary>
    /// Whether an operation would be refused without being tried; unlike <see cref="IsAvailable"/> false before the first attempt to
    /// connect.
    /// </summary>
    internal bool IsKnownAway => !IsAvailable && (_connection is not null || _hasWaited || _firstAttempt.Task.IsCompleted);

    /// <summary>
    /// Runs one operation (or a few at the same time, which may be repeated) within <c>State:Timeout</c>. One that meets a slot on its way
    /// to another server is started again.
    /// </summary>
    /// <param name="command">What its span is called: the command's name, or <c>PIPELINE</c> where several travel together; never a
    /// key.</param>
    /// <param name="operation">Starts it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="StoreUnavailableException">Redis is away, too slow, or cannot take writes now. The operation may still happen
    /// later.</exception>
    /// <exception cref="StoreRefusedException">Redis answers this operation with an error.</exception>
    public Task<T> Run<T>(string command, Func<IDatabase, Task<T>> operation, CancellationToken cancellation = default) =>
        Traced(command, operation, isDurable: false, cancellation);

    /// <summary>Runs a script on the primary that owns its keys, within <c>State:Timeout</c>.</summary>
    /// <exception cref="StoreUnavailableException">As for <see cref="Run"/>.</exception>
    public async Task<RedisResult> Evaluate(
        RedisScript script,
        RedisKey[] keys,
        RedisValue[] values,
        CancellationToken cancellation = default
    )
    {
        using var span = RedisSpan.Start("EVALSHA");
        try
        {
            return await EvaluateForMany(script, keys, values, Now, cancellation);
        }
        catch (Exception failure) when (RedisSpan.Failed(span, failure))
        {
            throw;
        }
    }

    /// <summary>The same for several requests together, each of which makes its own span.</summary>
    /// <param name="script">Touches any keys, so that one server must have all.</param>
    /// <param name="keys">As for <see cref="Evaluate"/>.</param>
    /// <param name="values">As for <see cref="Evaluate"/>.</param>
    /// <param name="since">When the first of them asked (<see cref="Now"/>): the wait is bounded from then on.</param>
    /// <param name="cancellation">Ends the wait.</param>
    internal Task<RedisResult> EvaluateForMany(
        RedisScript script,
        RedisKey[] keys,
        RedisValue[] values,
        long since,
        CancellationToken cancellation = default
    ) =>
        Ask(
            (script, keys, values),
            static (call, database) => call.script.Evaluate(database, call.keys, call.values),
            script.IsDurable,
            since,
            cancellation
        );

    /// <summary>The clock by which waits are bounded.</summary>
    internal long Now => _time.GetTimestamp();

    /// <summary>Whether all keys are on one server, as far as is known; a script may then touch any of them together.</summary>
    internal bool IsOneServer => _connection is { IsCluster: false };

    private async Task<T> Traced<T>(string command, Func<IDatabase, Task<T>> operation, bool isDurable, CancellationToken cancellation)
    {
        using var span = RedisSpan.Start(command);
        try
        {
            return await Ask(operation, Started, isDurable, Now, cancellation);
        }
        catch (Exception failure) when (RedisSpan.Failed(span, failure))
        {
            throw;
        }
    }

    /// <summary>
    /// Starts an operation, and once more where it met a slot on its way to another server, as often as the time allows.
    /// </summary>
    private async Task<T> Ask<TOperation, T>(
        TOperation operation,
        Func<TOperation, IDatabase, Task<T>> start,
        bool isDurable,
        long since,
        CancellationToken cancellation
    )
    {
        while (true)
        {
            try
            {
                var connection = await Connection();
                return isDurable && _replicas > 0
                    ? await Bounded(OnReplicas(operation, start, connection), _durability, since, cancellation)
                    : await Bounded(start(operation, connection.Database), _circuit, since, cancellation);
            }
            catch (StoreUnavailableException moving) when (MayTryAgain(moving, since))
            {
                // Tried again below.
            }

            await Task.Delay(TryAgainAfter, _time, cancellation);
        }
    }

    private static Task<T> Started<T>(Func<IDatabase, Task<T>> operation, IDatabase database)
    {
        try
        {
            return operation(database);
        }
        // The client library may fail before it makes a task.
        catch (Exception refused) when (refused is RedisException or RedisCommandException)
        {
            return Task.FromException<T>(refused);
        }
    }

    private ValueTask<RedisConnection> Connection()
    {
        if (_connection is { } connection)
        {
            return !_circuit.IsOpen && connection.IsConnected ? new(connection) : throw new StoreUnavailableException();
        }

        return FirstConnection();
    }

    /// <summary>Nothing is known yet: the first requests after the start may wait for the first attempt.</summary>
    private async ValueTask<RedisConnection> FirstConnection()
    {
        if (!IsConfigured)
        {
            throw new InvalidOperationException("ConnectionStrings:redis is not set; the embedded store should have been used.");
        }

        Start();
        if (_hasWaited || _firstAttempt.Task.IsCompleted)
        {
            throw new StoreUnavailableException();
        }

        await Task.WhenAny(_firstAttempt.Task, Task.Delay(_timeout, _time));
        _hasWaited = true;
        return IsAvailable ? _connection! : throw new StoreUnavailableException();
    }

    private async Task<T> Bounded<T>(Task<T> operation, StoreCircuit circuit, long asked, CancellationToken cancellation)
    {
        try
        {
            var left = _timeout - _time.GetElapsedTime(asked);
            var result = await operation.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, _time, cancellation);
            circuit.Answered();
            return result;
        }
        catch (TimeoutException slow)
        {
            Forget(operation);
            if (circuit.TimedOut())
            {
                SayAway(circuit);
                Wake();
            }

            throw new StoreUnavailableException(slow);
        }
        catch (OperationCanceledException aborted)
        {
            Forget(operation);
            cancellation.ThrowIfCancellationRequested();
            throw new StoreUnavailableException(aborted); // The connection was replaced under it.
        }
        catch (Exception failure) when (failure is RedisConnectionException or ObjectDisposedException)
        {
            Wake();
            throw new StoreUnavailableException(failure);
        }
        catch (Exception refused) when (refused is RedisException or RedisCommandException)
        {
            throw Refused(refused);
        }
    }

    private void SayAway(StoreCircuit circuit)
    {
        if (circuit == _circuit)
        {
            LogAway(_logger);
        }
        else
        {
            LogShort(_logger, _replicas);
        }
    }

    /// <summary>Its caller no longer waits; a late failure is not reported.</summary>
    private static void Forget(Task operation) =>
        operation.ContinueWith(
            static t => _ = t.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted,
            TaskScheduler.Default
        );

    [LoggerMessage(1309, LogLevel.Warning, "Redis is unavailable; stores use their configured fallback", EventName = "RedisUnavailable")]
    private static partial void LogAway(ILogger logger);
}
