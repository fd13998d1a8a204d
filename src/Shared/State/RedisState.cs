using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>
/// Manages the connection to Redis: a single server, a primary with replicas, or a cluster. 1. It connects in the background, so the host
/// starts even if Redis is unavailable. 2. An operation waits at most <c>State:Timeout</c>. 3. Once Redis is known to be unavailable
/// (disconnected, or silent for that long), operations fail at once. 4. A background probe detects when Redis is back, even without
/// requests; then <see cref="Reconnected"/> is raised. 5. In a cluster, an operation on a slot that is moving to another server is tried
/// again within its timeout. 6. With <c>State:Replicas</c>, durable writes have a separate connection and wait for the replicas.
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

    /// <summary>Creates the instance without connecting.</summary>
    public RedisState(IConfiguration configuration, IOptions<StateOptions> options, ILogger<RedisState> logger)
        : this(configuration, options, logger, TimeProvider.System) // Redis runs on real time, even if the host has another clock.
    { }

    internal RedisState(IConfiguration configuration, IOptions<StateOptions> options, ILogger<RedisState> logger, TimeProvider time)
    {
        _access = RedisAccess.Of(configuration, new ConfigurationMistakes()); // Configuration mistakes have already stopped the host.
        _timeout = options.Value.Timeout;
        _time = time;
        _logger = logger;
        _circuit = new(_timeout, time);
        (_replicas, _durability) = (options.Value.Replicas, new(_timeout, time));
        _supervision = new(() => Task.Run(Supervise));
    }

    /// <summary>Whether <c>ConnectionStrings:redis</c> is set. If not, the stores are embedded.</summary>
    public bool IsConfigured => _access is not null;

    /// <summary>Whether an operation would be tried now. Used for readiness and to choose a fallback without calling Redis.</summary>
    public bool IsAvailable => !_circuit.IsOpen && _connection is { IsConnected: true };

    /// <summary>
    /// Whether an operation would fail without being tried. False before the first attempt to connect, where <see cref="IsAvailable"/> is
    /// false too.
    /// </summary>
    internal bool IsKnownAway => !IsAvailable && (_connection is not null || _hasWaited || _firstAttempt.Task.IsCompleted);

    /// <summary>
    /// Runs one operation, or several at the same time that may be repeated, within <c>State:Timeout</c>. If a slot is moving to another
    /// server, the operation is started again.
    /// </summary>
    /// <param name="command">Name of the span: the command, or <c>PIPELINE</c> for several commands; never a key.</param>
    /// <param name="operation">Starts the operation.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="StoreUnavailableException">Redis is unavailable, too slow, or cannot accept writes now. The operation may still
    /// happen later.</exception>
    /// <exception cref="StoreRefusedException">Redis answered this operation with an error.</exception>
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

    /// <summary>Runs a script like <see cref="Evaluate"/>, for several requests together, each of which creates its own span.</summary>
    /// <param name="script">The script. It may use any keys, so one server must have all of them.</param>
    /// <param name="keys">As for <see cref="Evaluate"/>.</param>
    /// <param name="values">As for <see cref="Evaluate"/>.</param>
    /// <param name="since">Timestamp of the first request (<see cref="Now"/>), from which the timeout counts.</param>
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

    /// <summary>Current timestamp of the clock that measures timeouts.</summary>
    internal long Now => _time.GetTimestamp();

    /// <summary>Whether all keys are known to be on one server. A script may then use any of them together.</summary>
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
    /// Starts an operation, and starts it again while its slot is moving to another server and the timeout has not passed.
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
                // The loop tries again after a pause.
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
        // The client library may throw before it returns a task.
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

    /// <summary>
    /// Waits for the first attempt to connect. Only the first requests after the start do so, because nothing is known about Redis yet.
    /// </summary>
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
            throw new StoreUnavailableException(aborted); // The connection was replaced during the operation.
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

    /// <summary>Observes a late failure of an operation whose caller no longer waits, so that it is not reported.</summary>
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
