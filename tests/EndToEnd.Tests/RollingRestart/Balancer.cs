using Bff.TestKit;

namespace Bff.EndToEnd.Tests.RollingRestart;

/// <summary>Sends each request to the next ready instance and never repeats a request.</summary>
/// <param name="interval">Time between two probes of an instance.</param>
/// <param name="failures">Number of consecutive failed probes after which an instance gets no requests.</param>
internal sealed class Balancer(TimeSpan interval, int failures) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly List<Task> _probing = [];
    private volatile GatewayProcess[] _ready = [];
    private int _next;

    public Balancer()
        : this(TimeSpan.FromMilliseconds(100), failures: 1) { }

    public void Add(GatewayProcess instance) => _probing.Add(Probe(instance));

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
        await Task.WhenAll(_probing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    /// <summary>Probes each instance by itself, so that a slow one does not delay the state of another.</summary>
    private async Task Probe(GatewayProcess instance)
    {
        using var timer = new PeriodicTimer(interval);
        var failed = failures;
        while (await timer.WaitForNextTickAsync(_stopping.Token))
        {
            failed = await instance.IsReady() ? 0 : failed + 1;
            var isReady = failed < failures;
            lock (_gate)
            {
                if (isReady != IsSentTo(instance))
                {
                    _ready = isReady ? [.. _ready, instance] : [.. _ready.Where(i => i != instance)];
                }
            }
        }
    }
}
