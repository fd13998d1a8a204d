using Bff.Audit;
using Bff.Configuration;
using Bff.State;

namespace Bff.Callers.ApiKeys;

/// <summary>A newly created key. The key itself is shown only now.</summary>
/// <param name="Key">The key itself.</param>
/// <param name="Record">What is stored of the key.</param>
public sealed record NewApiKey(string Key, ApiKeyRecord Record)
{
    /// <inheritdoc />
    public override string ToString() => Record.Id; // Never the key.
}

/// <summary>
/// Creates, lists, rotates and deletes a tenant's keys. Every member throws <see cref="StoreUnavailableException"/> while the store is
/// unavailable.
/// </summary>
public sealed class ApiKeyRegistry
{
    /// <summary>Maximum number of keys per tenant and mode, without expired ones.</summary>
    public const int MaxKeys = 500;

    private readonly IApiKeyStore _store;
    private readonly Reloadable<ApiKeySettings> _settings;
    private readonly TimeProvider _time;

    internal ApiKeyRegistry(IApiKeyStore store, Reloadable<ApiKeySettings> settings, TimeProvider time) =>
        (_store, _settings, _time) = (store, settings, time);

    /// <summary>Lists the tenant's keys of one mode, newest first. Expired keys are listed for another 30 days.</summary>
    public async Task<IReadOnlyList<ApiKeyRecord>> List(string tenant, bool isTest, CancellationToken cancellation) =>
        [.. (await _store.List(tenant, cancellation)).Where(k => k.IsTest == isTest)];

    /// <summary>Returns one key; null when the tenant has no key of this id and mode.</summary>
    public async Task<ApiKeyRecord?> Find(string tenant, string id, bool isTest, CancellationToken cancellation) =>
        (await List(tenant, isTest, cancellation)).FirstOrDefault(k => k.Id == id);

    /// <summary>Creates a key; null when the tenant already has <see cref="MaxKeys"/> of the mode.</summary>
    public async Task<NewApiKey?> Create(
        string tenant,
        string name,
        IReadOnlyList<string> scopes,
        bool isTest,
        DateTimeOffset? expiresAt,
        CancellationToken cancellation,
        string? session = null,
        ChangedBy? by = null,
        IReadOnlyList<string>? allowedAddresses = null
    )
    {
        var now = _time.GetUtcNow();
        var keys = await List(tenant, isTest, cancellation);
        return keys.Count(k => !k.IsExpired(now)) >= MaxKeys
            ? null
            : await Add(tenant, name, scopes, isTest, expiresAt, session, allowedAddresses, by, cancellation);
    }

    /// <summary>
    /// Creates a key that replaces an old one. The old key stays valid for the overlap, but not beyond its own end. A client that lost the
    /// response may rotate again: the new key then ends when the first one would have ended, not with the overlap.
    /// </summary>
    /// <returns>The new key and the old key's end; null when there is no such key or it has expired.</returns>
    public async Task<(NewApiKey New, DateTimeOffset PreviousExpiresAt)?> Rotate(
        ApiKeyRecord previous,
        TimeSpan overlap,
        CancellationToken cancellation,
        ChangedBy? by = null
    )
    {
        var end = _time.GetUtcNow() + overlap;
        end = previous.ExpiresAt < end ? previous.ExpiresAt.Value : end;
        var own = previous.EndWhenRotated;
        var added = await Add(
            previous.Tenant,
            previous.Name,
            previous.Scopes,
            previous.IsTest,
            own,
            previous.Session,
            previous.AllowedAddresses,
            by,
            cancellation
        );
        var old = previous with { ExpiresAt = end, IsRotated = true, OwnExpiresAt = own, LastUsedAt = null };
        if (await _store.Replace(old, cancellation, Entries(by, "key.rotated", previous, old)))
        {
            return (added, end);
        }

        // The old key was deleted in the meantime, so nothing may replace it.
        await _store.Remove(added.Record, cancellation, Entries(by, "key.deleted", added.Record, null));
        return null;
    }

    /// <summary>Moves a key's end. Returns false when the key has been deleted in the meantime.</summary>
    public async Task<bool> MoveEnd(ApiKeyRecord key, DateTimeOffset expiresAt, CancellationToken cancellation) =>
        await _store.Replace(key with { ExpiresAt = expiresAt, LastUsedAt = null }, cancellation);

    /// <summary>Deletes a key. No instance accepts it after one second.</summary>
    public async Task Delete(ApiKeyRecord key, CancellationToken cancellation, ChangedBy? by = null) =>
        await _store.Remove(key, cancellation, Entries(by, "key.deleted", key, null));

    private async Task<NewApiKey> Add(
        string tenant,
        string name,
        IReadOnlyList<string> scopes,
        bool isTest,
        DateTimeOffset? expiresAt,
        string? session,
        IReadOnlyList<string>? allowedAddresses,
        ChangedBy? by,
        CancellationToken cancellation
    )
    {
        var key = ApiKeyFormat.New(isTest);
        var now = _time.GetUtcNow();
        var record = new ApiKeyRecord
        {
            Id = "key_" + Guid.CreateVersion7(now).ToString("N"),
            Tenant = tenant,
            Name = name,
            Hash = _settings.Current.HashOf(key),
            Prefix = ApiKeyFormat.PrefixOf(key),
            LastFour = ApiKeyFormat.LastFourOf(key),
            IsTest = isTest,
            Scopes = scopes,
            CreatedAt = now,
            ExpiresAt = expiresAt,
            Session = session,
            AllowedAddresses = allowedAddresses,
        };
        await _store.Add(record, cancellation, Entries(by, "key.created", null, record));
        return new(key, record);
    }

    /// <summary>Creates the audit entries. Keys that the host creates for itself, such as the documentation's key, have none.</summary>
    private static AuditEntry[]? Entries(ChangedBy? by, string action, ApiKeyRecord? before, ApiKeyRecord? after) =>
        by is null ? null : [by.Entry(action, (after ?? before)!.Tenant, (after ?? before)!.Id, Facts(before), Facts(after))];

    private static System.Text.Json.JsonElement? Facts(ApiKeyRecord? key) =>
        key is null
            ? null
            : AuditFacts.Of(
                ("name", key.Name),
                ("mode", key.IsTest ? "test" : "live"),
                ("scopes", key.Scopes),
                ("expires_at", key.ExpiresAt),
                ("allowed_addresses", key.AllowedAddresses)
            );
}
