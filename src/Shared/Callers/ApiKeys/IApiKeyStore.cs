using Bff.Audit;
using Bff.State;

namespace Bff.Callers.ApiKeys;

/// <summary>Where API keys are kept, by hash and by tenant. A change writes its entries in the audit log in the same step.</summary>
public interface IApiKeyStore
{
    /// <summary>
    /// Says within a second which keys of this process's memory are void: a key's id, <see cref="Added"/> when a key has come,
    /// <see cref="Missed"/> when changes may have been missed. Raised for changes made anywhere.
    /// </summary>
    event Action<string>? Changed;

    /// <summary>What <see cref="Changed"/> says of a new key.</summary>
    public const string Added = "+";

    /// <summary>What <see cref="Changed"/> says when any key may have changed.</summary>
    public const string Missed = "*";

    /// <summary>The key of this hash; null when there is none.</summary>
    /// <exception cref="StoreUnavailableException">The store is away. The same holds for every other member.</exception>
    ValueTask<ApiKeyRecord?> Find(string hash, CancellationToken cancellation);

    /// <summary>The tenant's keys with their last use, the newest first.</summary>
    ValueTask<IReadOnlyList<ApiKeyRecord>> List(string tenant, CancellationToken cancellation);

    /// <summary>Adds a key.</summary>
    ValueTask Add(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>Replaces a key by one of the same id and hash; false when it has gone meanwhile.</summary>
    ValueTask<bool> Replace(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>Removes a key: from now on no instance accepts it.</summary>
    ValueTask Remove(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>Notes when keys of a tenant were last used, by id.</summary>
    /// <returns>Those that the tenant's list does not have: no such key, or the list has lost it.</returns>
    ValueTask<IReadOnlyList<string>> Touch(
        string tenant,
        IReadOnlyCollection<KeyValuePair<string, DateTimeOffset>> uses,
        CancellationToken cancellation
    );

    /// <summary>Puts a key back into its tenant's list: one that is not listed cannot be revoked.</summary>
    /// <returns>Whether it was a key, and missing.</returns>
    ValueTask<bool> Relist(ApiKeyRecord key, CancellationToken cancellation);
}
