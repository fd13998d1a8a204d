using Bff.Requests;
using Bff.Tenancy;

namespace Bff.Admission;

/// <summary>
/// The place of a request whose body arrives, or whose answer streams. While its sender is waited for, the place is others': a sender who
/// stalls must not keep others from being served. The request comes back, or is refused, before anything is made of a body that was read
/// whole.
/// </summary>
internal sealed class AdmissionPlace(AdmissionGate gate, AdmissionMetrics metrics, TenantPriority priority) : IAdmissionPlace
{
    private const int In = 0,
        Out = 1,
        Over = 2;
    private int _state;

    /// <inheritdoc />
    public void StepOut()
    {
        if (Interlocked.CompareExchange(ref _state, Out, In) == In)
        {
            gate.Leave();
        }
    }

    /// <summary>
    /// Takes a place again if one is free. Without one the request goes on: what it asks of a service has begun, and is bounded there.
    /// </summary>
    public void TryStepIn()
    {
        if (Volatile.Read(ref _state) == Out && gate.TryEnter())
        {
            Return();
        }
    }

    /// <inheritdoc />
    public ValueTask StepIn(CancellationToken cancellation) => Volatile.Read(ref _state) == Out ? Enter(cancellation) : default;

    /// <inheritdoc />
    public void Leave()
    {
        if (Interlocked.Exchange(ref _state, Over) == In)
        {
            gate.Leave();
        }
    }

    private async ValueTask Enter(CancellationToken cancellation)
    {
        var outcome = await gate.Enter(priority, cancellation);
        if (outcome == AdmissionOutcome.Admitted)
        {
            Return();
            return;
        }

        cancellation.ThrowIfCancellationRequested();
        metrics.Shed(outcome, priority);
        throw new ProblemException(AdmissionMiddleware.Overloaded);
    }

    private void Return()
    {
        if (Interlocked.CompareExchange(ref _state, In, Out) != Out)
        {
            gate.Leave(); // It is over, or came back meanwhile.
        }
    }
}
