using Bff.Bench.Soak.Work;
using Bff.Dev.IdentityProvider;
using Bff.Dev.Upstreams.Faults;
using IdentityFault = Bff.Dev.IdentityProvider.FaultMode;
using ServiceFault = Bff.Dev.Upstreams.Faults.FaultMode;

namespace Bff.Bench.Soak.Faults;

/// <summary>Injects faults into the services and the identity provider.</summary>
internal sealed class ServiceFaults(World world, Random random)
{
    private static readonly ServiceFault[] Outages =
    [
        ServiceFault.Reset,
        ServiceFault.Status,
        ServiceFault.Hang,
        ServiceFault.ResetMidBody,
    ];
    private static readonly IdentityFault[] Absences =
    [
        IdentityFault.Down,
        IdentityFault.Hang,
        IdentityFault.Unavailable,
        IdentityFault.Garbage,
    ];

    public IReadOnlyList<(string Name, Func<Task> Run)> All => [("service-down", Down), ("service-slow", Slow), ("identity-away", Away)];

    public void Heal()
    {
        world.Identity.Faults.Clear();
        foreach (var service in world.Services.All)
        {
            service.Faults.Heal();
        }
    }

    private Task Down() => Break("service-down", new Fault { Mode = Outages[random.Next(Outages.Length)], Status = 503 });

    private Task Slow() => Break("service-slow", new Fault { Mode = ServiceFault.Delay, DelayMs = random.Next(200, 3000) });

    private async Task Break(string name, Fault fault)
    {
        var service = world.Services.All[random.Next(world.Services.All.Count)];
        var episode = world.Time.Begin(name);
        service.Faults.Set(fault);
        await Pace.Pause(random.Next(3, 10));
        service.Faults.Heal();
        world.Time.End(episode, $"{service.Name} {fault.Mode}");
    }

    private async Task Away()
    {
        var episode = world.Time.Begin("identity-away");
        var mode = Absences[random.Next(Absences.Length)];
        foreach (var endpoint in Enum.GetValues<IdentityEndpoint>())
        {
            world.Identity.Faults[endpoint] = mode;
        }

        await Pace.Pause(random.Next(3, 12));
        world.Identity.Faults.Clear();
        world.Time.End(episode, mode.ToString());
    }
}
