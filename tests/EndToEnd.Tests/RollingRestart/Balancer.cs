using Bff.TestKit;

namespace Bff.EndToEnd.Tests.RollingRestart;

/// <summary>Sends each request to the next instance that says it is ready; repeats none.</summary>
internal sealed class Balancer : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly List<GatewayProcess> _instances = [];
    private readonly Task _probing;
    private volatile GatewayProcess[] _ready = [];
    private int _next;

    public Balancer() => _probing = Probe();

    public void Add(GatewayProcess instance)
    {
        lock (_gate)
        {
            _instances.Add(instance);
        }
    }

    public bool IsSentTo(GatewayProcess instance) => _ready.Contains(instance);

    public (GatewayProcess Instance, Task<HttpResponseMessage> Answer) Send(Func<HttpRequestMessage> request)
    {
        var ready = _ready;
        if (ready.Length == 0)
        {
            throw new InvalidOperationException("No instance is ready.");
        }

        var instance = ready[(uint)Interlocked.Increment(ref _next) % ready.Length];
        return (instance, instance.Client.SendAsync(request()));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _probing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task Probe()
    {
        using var timer = new PeriodicTimer(Interval);
        while (await timer.WaitForNextTickAsync(_stopping.Token))
        {
            GatewayProcess[] all;
            lock (_gate)
            {
                all = [.. _instances];
            }

            var ready = await Task.WhenAll(all.Select(i => i.IsReady()));
            _ready = [.. all.Where((_, i) => ready[i])];
        }
    }
}
