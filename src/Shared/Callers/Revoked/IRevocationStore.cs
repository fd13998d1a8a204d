using Bff.Audit;
using Bff.State;

namespace Bff.Callers.Revoked;

/// <summary>Where the instances keep what is revoked.</summary>
public interface IRevocationStore
{
    /// <summary>False while the store is known to be away.</summary>
    bool IsAvailable { get; }

    /// <summary>Writes it with its entries in the audit log and announces it to every instance.</summary>
    /// <exception cref="StoreUnavailableException">Nothing is promised: it may have been written.</exception>
    Task Add(Revocation revocation, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>Everything that has not ended; whatever is added meanwhile may be missing.</summary>
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    Task<IReadOnlyList<Revocation>> All(CancellationToken cancellation);

    /// <summary>
    /// Calls back for each revocation within a second, wherever it was added; with null when some may have been missed, so that all are to
    /// be read.
    /// </summary>
    IDisposable Subscribe(Action<Revocation?> added);
}
