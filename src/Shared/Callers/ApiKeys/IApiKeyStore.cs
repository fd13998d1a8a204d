using Bff.Audit;
using Bff.State;

namespace Bff.Callers.ApiKeys;

/// <summary>Stores API keys by hash and by tenant. A change writes its audit entries in the same step.</summary>
public interface IApiKeyStore
{
    /// <summary>
    /// Raised within a second after a change on any instance, to say which remembered keys are void. The argument is a key's id,
    /// <see cref="Added"/> when a key was added, or <see cref="Missed"/> when changes may have been missed.
    /// </summary>
    event Action<string>? Changed;

    /// <summary>The argument of <see cref="Changed"/> when a key was added.</summary>
    public const string Added = "+";

    /// <summary>The argument of <see cref="Changed"/> when any key may have changed.</summary>
    public const string Missed = "*";

    /// <summary>Returns the key with this hash; null when there is none.</summary>
    /// <exception cref="StoreUnavailableException">The store is unavailable. The same holds for every other member.</exception>
    ValueTask<ApiKeyRecord?> Find(string hash, CancellationToken cancellation);

    /// <summary>Returns the tenant's keys with their last use, newest first.</summary>
    ValueTask<IReadOnlyList<ApiKeyRecord>> List(string tenant, CancellationToken cancellation);

    /// <summary>Adds a key.</summary>
    ValueTask Add(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>Replaces a key with one of the same id and hash. Returns false when the key has been removed in the meantime.</summary>
    ValueTask<bool> Replace(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>Removes a key. From now on no instance accepts it.</summary>
    ValueTask Remove(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>Records when keys of a tenant were last used, by id.</summary>
    /// <returns>The ids that are not in the tenant's list, because there is no such key or the list has lost it.</returns>
    ValueTask<IReadOnlyList<string>> Touch(
        string tenant,
        IReadOnlyCollection<KeyValuePair<string, DateTimeOffset>> uses,
        CancellationToken cancellation
    );

    /// <summary>Puts a key back into its tenant's list, because a key that is not listed cannot be revoked.</summary>
    /// <returns>Whether the key is valid and was missing.</returns>
    ValueTask<bool> Relist(ApiKeyRecord key, CancellationToken cancellation);
}
