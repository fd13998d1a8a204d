namespace Bff.Requests;

/// <summary>
/// The place of a request whose body arrives, or whose answer streams, among those that the host serves at once. Readers of the body step
/// out while they wait for its sender.
/// </summary>
internal interface IAdmissionPlace
{
    /// <summary>Gives the place to others while the sender is waited for.</summary>
    void StepOut();

    /// <summary>Takes a place again if one is free.</summary>
    void TryStepIn();

    /// <summary>Takes a place again, and waits for one.</summary>
    /// <exception cref="ProblemException">503 <c>overloaded</c>: there is none.</exception>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    ValueTask StepIn(CancellationToken cancellation);

    /// <summary>Gives the place back for good.</summary>
    void Leave();
}
