using Bff.Bench.Soak.Work;

namespace Bff.Bench.Soak.Faults;

/// <summary>
/// Runs three sequences of faults in parallel: Redis, gateways and services. Within a sequence, faults come one at a time in shuffled
/// rounds, so that all kinds come equally often.
/// </summary>
internal sealed class Injector(World world, SoakOptions options)
{
    private readonly StoreFaults _store = new(world, new Random(options.Seed));
    private readonly HostFaults _hosts = new(world, new Random(options.Seed + 1));
    private readonly ServiceFaults _services = new(world, new Random(options.Seed + 2));

    public async Task Run(CancellationToken enough)
    {
        await Task.WhenAll(
            Row(_store.All, new Random(options.Seed + 3), 2, 6, Alone, enough),
            Row(_hosts.All, new Random(options.Seed + 4), 3, 9, f => f(), enough),
            Row(_services.All, new Random(options.Seed + 5), 3, 12, f => f(), enough)
        );
        _store.Heal();
        _services.Heal();
    }

    /// <summary>
    /// Runs a fault of Redis while no instance that must write its counts ends, and then waits until instances notice that Redis is back.
    /// </summary>
    private async Task Alone(Func<Task> fault)
    {
        await world.StoreIsWell.WaitAsync();
        try
        {
            await fault();
            await Pace.Pause(4);
        }
        finally
        {
            world.StoreIsWell.Release();
        }
    }

    private async Task Row(
        IReadOnlyList<(string Name, Func<Task> Run)> all,
        Random random,
        double from,
        double to,
        Func<Func<Task>, Task> how,
        CancellationToken enough
    )
    {
        var wanted = all.Where(f => options.Faults.Count == 0 || options.Faults.Contains(f.Name)).ToArray();
        for (var round = 0; wanted.Length > 0 && !enough.IsCancellationRequested; round++)
        {
            random.Shuffle(wanted);
            foreach (var fault in wanted)
            {
                var pause = Task.Delay(TimeSpan.FromSeconds(from + (random.NextDouble() * (to - from))), enough);
                await pause.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (enough.IsCancellationRequested)
                {
                    return;
                }

                await how(fault.Run);
            }
        }
    }
}
