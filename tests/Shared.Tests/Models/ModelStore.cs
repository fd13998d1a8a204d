using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Models;

/// <summary>An instance's clock. Timers and timestamps only move forward, but the time of day can be set back or forward.</summary>
internal sealed class ModelClock : TimeProvider
{
    private readonly ManualTimeProvider _moves = new();
    private TimeSpan _offset;

    public override long TimestampFrequency => _moves.TimestampFrequency;

    /// <summary>Number of active timers.</summary>
    public int Waiting => _moves.ActiveTimers;

    public override DateTimeOffset GetUtcNow() => _moves.GetUtcNow() + _offset;

    public override long GetTimestamp() => _moves.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        _moves.CreateTimer(callback, state, dueTime, period);

    public void Advance(TimeSpan by) => _moves.Advance(by);

    /// <summary>Changes the time of day without moving the timers.</summary>
    public void Step(TimeSpan by) => _offset += by;

    public void Set(DateTimeOffset now) => _offset = now - _moves.GetUtcNow();
}

/// <summary>An instance's connection to the model's server.</summary>
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

    /// <summary>Simulates a restored connection. Returns when every subscriber has been notified.</summary>
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

/// <summary>Helpers that all models share.</summary>
internal static class Model
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Seconds by which a clock is set back or forward.</summary>
    private static readonly int[] Steps = [-3600, -120, -15, -2, -1, 1, 2, 5, 15, 120, 900, 1800];

    public static TimeSpan Step(int much) => TimeSpan.FromSeconds(Steps[much % Steps.Length]);

    public static Fault FaultOf(int much) => (Fault)(much % 3);

    /// <summary>Waits for work of other threads. Returns false when it does not happen in time.</summary>
    public static async Task<bool> WaitFor(Func<bool> isSo, int seconds = 5)
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

    /// <summary>Returns whether the store reported that it did not execute the command, or may not have.</summary>
    public static bool IsRefusal(Exception failure) => failure is StoreException;

    /// <exception cref="InvalidOperationException">The condition is false.</exception>
    public static void Holds(bool isSo, string broken)
    {
        if (!isSo)
        {
            throw new InvalidOperationException(broken);
        }
    }
}
