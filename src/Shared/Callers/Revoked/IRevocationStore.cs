using Bff.Audit;
using Bff.State;

namespace Bff.Callers.Revoked;

/// <summary>Stores the revocations that all instances share.</summary>
public interface IRevocationStore
{
    /// <summary>Whether the store is available, as far as is known.</summary>
    bool IsAvailable { get; }

    /// <summary>Writes the revocation with its audit entries and announces it to every instance.</summary>
    /// <exception cref="StoreUnavailableException">The outcome is unknown: the revocation may have been written.</exception>
    Task Add(Revocation revocation, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>Returns all revocations that have not ended. Those that are added during the call may be missing.</summary>
    /// <exception cref="StoreUnavailableException">The store is unavailable.</exception>
    Task<IReadOnlyList<Revocation>> All(CancellationToken cancellation);

    /// <summary>
    /// Registers a callback for each revocation, within a second after any instance added it. Its argument is null when some may have been
    /// missed, so that all have to be read.
    /// </summary>
    IDisposable Subscribe(Action<Revocation?> added);
}
