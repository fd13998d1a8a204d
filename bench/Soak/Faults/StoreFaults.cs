using System.Globalization;
using Bff.Bench.Soak.Store;
using Bff.Bench.Soak.Work;

namespace Bff.Bench.Soak.Faults;

/// <summary>Injects faults into Redis, one at a time: each begins with a healthy server and a replica in step.</summary>
internal sealed class StoreFaults(World world, Random random)
{
    private static readonly string[][] Denials =
    [
        ["-evalsha", "-eval"],
        ["-get", "-hget", "-hgetall", "-mget", "-hmget"],
        ["-publish"],
        ["-@write"],
        ["-set", "-hset"],
        ["-hincrby", "-incr"],
        ["-xadd", "-xread", "-xrange"],
        ["-zadd", "-zrange"],
        ["resetkeys", "~other:*"],
        ["resetchannels"],
    ];

    public IReadOnlyList<(string Name, Func<Task> Run)> All =>
        [
            ("redis-pause", Pause),
            ("redis-freeze", Freeze),
            ("redis-restart", Restart),
            ("redis-failover", Failover),
            ("redis-pubsub", DropSubscribers),
            ("redis-acl", Deny),
            ("redis-slow", Slow),
            .. ServerClock.IsInstalled ? [("redis-clock", StepBack)] : Array.Empty<(string, Func<Task>)>(),
        ];

    /// <summary>Restores the normal state.</summary>
    public void Heal()
    {
        world.Store.PrimaryClock.SetBack(0);
        world.Store.ReplicaClock.SetBack(0);
        Allow();
    }

    private double Between(double from, double to) => from + (random.NextDouble() * (to - from));

    private async Task Pause()
    {
        var length = Between(0.3, 4);
        var episode = world.Time.Begin("redis-pause", cutsStore: true);
        world.Store.Primary.Command("CLIENT", "PAUSE", ((int)(length * 1000)).ToString(CultureInfo.InvariantCulture), "ALL");
        await Pace.Pause(length);
        world.Time.End(episode);
    }

    private async Task Freeze()
    {
        var episode = world.Time.Begin("redis-freeze", cutsStore: true);
        world.Store.Primary.Freeze();
        await Pace.Pause(Between(0.5, 8));
        world.Store.Primary.Continue();
        world.Time.End(episode);
    }

    /// <summary>Kills the server and starts it again with its append-only file, so that nothing it answered is lost.</summary>
    private async Task Restart()
    {
        var episode = world.Time.Begin("redis-restart", cutsStore: true);
        world.Store.Primary.Stop();
        await Pace.Pause(Between(0.2, 5));
        await Task.Run(() => world.Store.Primary.Start());
        world.Time.End(episode);
        await InStep();
    }

    /// <summary>
    /// Promotes the replica, which lags and whose clock may be behind, so that what the primary answered meanwhile is lost.
    /// </summary>
    private async Task Failover()
    {
        var behind = ServerClock.IsInstalled && random.Next(2) == 0 ? Between(3, 30) : 0;
        world.Store.ReplicaClock.SetBack(behind);
        world.MayCount = false;
        await Pace.Pause(5); // Counts are written by then, and the replica has them.
        var episode = world.Time.Begin("redis-failover", cutsStore: true);
        episode.LosesFrom = world.Time.Now - 0.5; // Includes what is in flight when the relay stops.
        world.Store.Lag();
        await Pace.Pause(Between(1, 4));
        world.Store.Crash();
        await Pace.Pause(Between(0.2, 3));
        await Task.Run(world.Store.Promote);
        episode.LosesTo = world.Time.Now;
        world.Time.End(episode, behind > 0 ? string.Create(CultureInfo.InvariantCulture, $"its clock {behind:F0} s behind") : "");
        await InStep();
        await Pace.Pause(4);
        world.MayCount = true;
        world.Store.PrimaryClock.SetBack(0);
    }

    private async Task StepBack()
    {
        var behind = Between(5, 60);
        var episode = world.Time.Begin("redis-clock");
        world.Store.PrimaryClock.SetBack(behind);
        await Pace.Pause(Between(5, 12));
        world.Store.PrimaryClock.SetBack(0);
        world.Time.End(episode, string.Create(CultureInfo.InvariantCulture, $"{behind:F0} s back"));
    }

    /// <summary>Ends every subscriber's connection, once or a few times; other connections stay.</summary>
    private async Task DropSubscribers()
    {
        var episode = world.Time.Begin("redis-pubsub");
        for (var times = random.Next(1, 5); times > 0; times--)
        {
            world.Store.Primary.Command("CLIENT", "KILL", "TYPE", "pubsub");
            await Pace.Pause(Between(0.2, 1.5));
        }

        world.Time.End(episode);
    }

    private async Task Deny()
    {
        var denied = Denials[random.Next(Denials.Length)];
        var episode = world.Time.Begin("redis-acl", cutsStore: true);
        world.Store.Primary.Command(["ACL", "SETUSER", "default", .. denied]);
        await Pace.Pause(Between(1, 6));
        Allow();
        world.Time.End(episode, string.Join(' ', denied));
    }

    private async Task Slow()
    {
        var episode = world.Time.Begin("redis-slow");
        for (var until = world.Time.Now + Between(3, 8); world.Time.Now < until; await Pace.Pause(Between(0.05, 0.2)))
        {
            world.Store.Primary.Freeze();
            await Pace.Pause(Between(0.03, 0.15));
            world.Store.Primary.Continue();
        }

        world.Time.End(episode);
    }

    private void Allow() => world.Store.Primary.Command("ACL", "SETUSER", "default", "+@all", "allkeys", "allchannels");

    private async Task InStep()
    {
        for (var until = world.Time.Now + 20; world.Time.Now < until && !world.Store.IsInStep(); await Pace.Pause(0.1))
        {
            // The replica loads everything again.
        }
    }
}
