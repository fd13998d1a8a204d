using Bff.State;
using PartnerBff.Loops;

namespace PartnerBff.Webhooks.Delivery;

/// <summary>A loop of this instance: works until there is nothing to do, then waits for a signal, a second at most. Ends with the host.</summary>
internal abstract class WebhookWork(TimeProvider time, LoopTroubles troubles) : IHostedService, IDisposable
{
    private const string Whole = "the whole";
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Cancelled when the instance stops, or dies.</summary>
    protected CancellationToken Stopping => _stopping.Token;

    /// <summary>What does not end the loop.</summary>
    protected LoopTroubles Troubles { get; } = troubles;

    public virtual Task StartAsync(CancellationToken cancellationToken)
    {
        _loop = Task.Run(Loop, CancellationToken.None);
        return Task.CompletedTask;
    }

    public virtual async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _loop.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Something may have to be done.</summary>
    public void Wake()
    {
        try
        {
            if (_wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
        catch (SemaphoreFullException)
        {
            // Awake already.
        }
    }

    public virtual void Dispose() => _stopping.Cancel();

    /// <summary>Does what there is to do now.</summary>
    protected abstract Task Work(CancellationToken cancellation);

    private async Task Loop()
    {
        await using var timer = time.CreateTimer(static work => ((WebhookWork)work!).Wake(), this, LookEvery, LookEvery);
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await Work(_stopping.Token);
                Troubles.Succeeded(Whole);
            }
            catch (Exception stopped) when (stopped is OperationCanceledException or ObjectDisposedException && _stopping.IsCancellationRequested)
            {
                return;
            }
            catch (StoreUnavailableException)
            {
                // The next look is soon.
            }
#pragma warning disable CA1031 // Deliveries depend on this loop.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                Troubles.Failed(Whole, failure);
            }

            await _wake.WaitAsync(_stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
