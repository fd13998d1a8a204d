using Bff.Bench.Soak.Hosts;
using Bff.Bench.Soak.Work;

namespace Bff.Bench.Soak.Faults;

/// <summary>Injects faults into the gateways. The first partner instance is never killed, because its counts must be exact.</summary>
internal sealed class HostFaults(World world, Random random)
{
    public IReadOnlyList<(string Name, Func<Task> Run)> All => [("kill", Kill), ("kill", Kill), ("roll", Roll)];

    private async Task Kill()
    {
        var fleet = world.Fleets[random.Next(world.Fleets.Count)];
        var at = fleet == world.Partner ? random.Next(1, Fleet.Count) : random.Next(Fleet.Count);
        var episode = world.Time.Begin("kill");
        await fleet.Kill(at);
        await Pace.Pause(random.NextDouble() * 2);
        await fleet.Start(at);
        world.Time.End(episode, $"{fleet.Gateway} {at}");
    }

    private async Task Roll()
    {
        var fleet = world.Fleets[random.Next(world.Fleets.Count)];
        var episode = world.Time.Begin("roll");
        for (var at = 0; at < Fleet.Count; at++)
        {
            var counts = fleet == world.Partner && at == 0;
            if (counts)
            {
                await world.StoreIsWell.WaitAsync(); // The instance writes its sums as it ends; without a store they would be lost.
            }

            try
            {
                await fleet.Terminate(at);
            }
            finally
            {
                if (counts)
                {
                    world.StoreIsWell.Release();
                }
            }

            await fleet.Start(at);
        }

        world.Time.End(episode, fleet.Gateway);
    }
}
