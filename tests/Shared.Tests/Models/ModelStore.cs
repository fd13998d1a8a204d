using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Models;

/// <summary>Time as an instance has it: what waits goes by a clock that only moves on; what is read may be set back or forward.</summary>
internal sealed class ModelClock : TimeProvider
{
    private readonly ManualTimeProvider _moves = new();
    private TimeSpan _offset;

    public override long TimestampFrequency => _moves.TimestampFrequency;

    /// <summary>How many wait.</summary>
    public int Waiting => _moves.ActiveTimers;

    public override DateTimeOffset GetUtcNow() => _moves.GetUtcNow() + _offset;

    public override long GetTimestamp() => _moves.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        _moves.CreateTimer(callback, state, dueTime, period);

    public void Advance(TimeSpan by) => _moves.Advance(by);

    /// <summary>What it reads changes; nobody has waited any longer.</summary>
    public void Step(TimeSpan by) => _offset += by;

    public void Set(DateTimeOffset now) => _offset = now - _moves.GetUtcNow();
}

/// <summary>An instance's connection to the server of a model.</summary>
internal sealed class ModelConnection : IAsyncDisposable
{
    private static int _number;
    private readonly ServiceProvider _services;

    private ModelConnection(RedisLink link, ServiceProvider services) => (Link, _services) = (link, services);

    public RedisLink Link { get; }

    public IServiceProvider Services => _services;

    public RedisState Redis => _services.GetRequiredService<RedisState>();

    public static async Task<ModelConnection> Open(ModelServer server)
    {
        var link = new RedisLink(server);
        return new(link, await StateEngines.Ready(link.ConnectionString));
    }

    /// <summary>
    /// What a lost connection that is there again tells the instance; returns when everything that listens has been told.
    /// </summary>
    public static async Task Reconnect(RedisState redis)
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Tell(object? sender, EventArgs e) => told.TrySetResult();
        redis.Reconnected += Tell;
        using var subscription = redis.Subscribe("bff:model:" + Interlocked.Increment(ref _number), static _ => { });
        await told.Task.WaitAsync(TimeSpan.FromSeconds(30));
        redis.Reconnected -= Tell;
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        Link.Dispose();
    }
}

/// <summary>What every model asks for in the same way.</summary>
internal static class Model
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Seconds by which a clock is set back or forward.</summary>
    private static readonly int[] Steps = [-3600, -120, -15, -2, -1, 1, 2, 5, 15, 120, 900, 1800];

    public static TimeSpan Step(int much) => TimeSpan.FromSeconds(Steps[much % Steps.Length]);

    public static Fault FaultOf(int much) => (Fault)(much % 3);

    /// <summary>Waits for what other threads are about to do; false when they do not.</summary>
    public static async Task<bool> Comes(Func<bool> isSo, int seconds = 5)
    {
        var end = Environment.TickCount64 + (seconds * 1000);
        while (!isSo())
        {
            if (Environment.TickCount64 > end)
            {
                return false;
            }

            await Task.Delay(1);
        }

        return true;
    }

    /// <summary>Whether the store has said that it did not do what was asked, or may not have.</summary>
    public static bool IsRefusal(Exception failure) => failure is StoreException;

    /// <exception cref="InvalidOperationException">It is not so.</exception>
    public static void Holds(bool isSo, string broken)
    {
        if (!isSo)
        {
            throw new InvalidOperationException(broken);
        }
    }
}
