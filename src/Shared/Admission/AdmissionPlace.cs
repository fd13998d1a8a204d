using Bff.Requests;
using Bff.Tenancy;

namespace Bff.Admission;

/// <summary>
/// The slot of a request whose body is arriving or whose response streams. While the client's next bytes are awaited, other requests may
/// use the slot, so that a stalled client does not block them. Once a whole body has been read, the request takes a slot again or is
/// refused before the body is used.
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
    /// Takes a slot again if one is free. Otherwise the request continues without one, because its call to a service has begun and is
    /// limited there.
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
            gate.Leave(); // The request has ended, or has a slot again.
        }
    }
}
