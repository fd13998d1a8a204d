using Bff.Concurrency;
using Bff.State;

namespace PartnerBff.Webhooks.Delivery;

/// <summary>
/// A background loop of this instance: works until nothing is left to do, then waits for a signal, at most a second. Ends with the host.
/// </summary>
internal abstract class WebhookWork(TimeProvider time, BackgroundLoop loop) : IHostedService, IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private readonly Signal _wake = new();
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    /// <summary>Cancelled when the instance stops or is killed.</summary>
    protected CancellationToken Stopping => _stopping.Token;

    /// <summary>Tracks failures, which do not end the loop.</summary>
    protected BackgroundLoop Rounds { get; } = loop;

    public virtual Task StartAsync(CancellationToken cancellationToken)
    {
        _running = Task.Run(() => _wake.Follow(LookEvery, time, Round, _stopping.Token), CancellationToken.None);
        return Task.CompletedTask;
    }

    public virtual async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Signals that there may be work.</summary>
    public void Wake() => _wake.Set();

    public virtual void Dispose() => _stopping.Cancel();

    /// <summary>Does all work that is due now.</summary>
    protected abstract Task Work(CancellationToken cancellation);

    private async Task Round(CancellationToken stopping)
    {
        try
        {
            await Work(stopping);
            Rounds.Succeeded();
        }
        catch (Exception stopped)
            when (stopped is OperationCanceledException or ObjectDisposedException && stopping.IsCancellationRequested)
        {
            // The instance is stopping.
        }
        catch (StoreUnavailableException)
        {
            // The next round comes soon, and the state logs it.
        }
#pragma warning disable CA1031 // Deliveries depend on this loop.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Rounds.Failed(failure);
        }
    }
}
