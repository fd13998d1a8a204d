using System.Collections.Concurrent;
using Bff.TestKit;

namespace Bff.Bench.Soak.Hosts;

/// <summary>The three instances of a gateway, as a balancer sees them.</summary>
internal sealed class Fleet(string gateway, Surroundings surroundings, Timeline time, params (string Key, string Value)[] settings)
    : IAsyncDisposable
{
    public const int Count = 3;
    private readonly string _folder = GatewayProcess.NewFolder(gateway);
    private readonly Instance?[] _instances = new Instance?[Count];
    private readonly ConcurrentQueue<Instance> _killed = new();

    public string Gateway { get; } = gateway;

    /// <summary>Instances that were killed.</summary>
    public IReadOnlyCollection<Instance> Killed => _killed;

    public int Starts { get; private set; }

    /// <summary>Unexpected events: an instance ended by itself or with an error.</summary>
    public ConcurrentQueue<string> Surprises { get; } = new();

    public IEnumerable<Instance> Serving => _instances.OfType<Instance>().Where(i => i.IsServing);

    public Instance? this[int at] => _instances[at];

    public async Task Start(int at)
    {
        Starts++;
        try
        {
            _instances[at] = new Instance(Gateway, at, await GatewayProcess.Start(Gateway, surroundings, _folder, settings));
        }
        catch (TimeoutException)
        {
            Surprises.Enqueue($"{Gateway} {at} was not ready within {GatewayProcess.WaitLimit.TotalSeconds:F0} s, at {time.Now:F1} s");
        }
    }

    /// <summary>Returns any serving instance, or null.</summary>
    public Instance? Any()
    {
        var serving = Serving.ToArray();
        return serving.Length == 0 ? null : serving[Random.Shared.Next(serving.Length)];
    }

    /// <summary>Kills an instance without notice, as the kernel does.</summary>
    public async Task Kill(int at)
    {
        if (_instances[at] is { } instance)
        {
            instance.IsMeantToEnd = true;
            instance.KilledAt = time.Now;
            _killed.Enqueue(instance);
            await instance.Process.Kill();
            instance.IsServing = false; // A balancer notices only afterwards.
            await Forget(at, instance);
        }
    }

    /// <summary>Ends an instance as an orchestrator does: stops its requests, sends the signal, then waits.</summary>
    public async Task Terminate(int at)
    {
        if (_instances[at] is { } instance)
        {
            instance.IsMeantToEnd = true;
            instance.IsServing = false;
            await instance.Process.Terminate();
            try
            {
                if (await instance.Process.Exit() is not 0 and var code)
                {
                    Surprises.Enqueue($"{Gateway} {at} ended with {code} at {time.Now:F1} s when it was told to end");
                }
            }
            catch (TimeoutException)
            {
                Surprises.Enqueue(
                    $"{Gateway} {at} was told to end and did not end within {GatewayProcess.WaitLimit.TotalSeconds:F0} s, at {time.Now:F1} s"
                );
            }

            await Forget(at, instance);
        }
    }

    /// <summary>Replaces instances that ended by themselves, and stores the output of all.</summary>
    public async Task Watch()
    {
        for (var at = 0; at < Count; at++)
        {
            if (_instances[at] is not { } instance)
            {
                continue;
            }

            instance.Drain();
            if (!instance.IsMeantToEnd && instance.Process.HasExited)
            {
                instance.IsMeantToEnd = true;
                instance.IsServing = false;
                Surprises.Enqueue($"{Gateway} {at} ended by itself with {await instance.Process.Exit()} at {time.Now:F1} s");
                await Forget(at, instance);
                await Start(at);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        for (var at = 0; at < Count; at++)
        {
            if (_instances[at] is { } instance)
            {
                instance.IsMeantToEnd = true;
                await Forget(at, instance);
            }
        }

        Directory.Delete(_folder, recursive: true);
    }

    private async Task Forget(int at, Instance instance)
    {
        Interlocked.CompareExchange(ref _instances[at], null, instance);
        instance.Drain();
        try
        {
            await instance.Process.DisposeAsync();
        }
        catch (InvalidOperationException leaked)
        {
            Surprises.Enqueue(leaked.Message);
        }
    }
}
