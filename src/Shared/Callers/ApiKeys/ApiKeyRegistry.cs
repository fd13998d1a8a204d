using Bff.Audit;
using Bff.Configuration;
using Bff.State;

namespace Bff.Callers.ApiKeys;

/// <summary>A key that has just been made: the only time that it is shown.</summary>
/// <param name="Key">The key itself.</param>
/// <param name="Record">What is kept of it.</param>
public sealed record NewApiKey(string Key, ApiKeyRecord Record)
{
    /// <inheritdoc />
    public override string ToString() => Record.Id; // Never the key.
}

/// <summary>
/// Makes, lists, rotates and ends a tenant's keys. Every member throws <see cref="StoreUnavailableException"/> while the store is away.
/// </summary>
public sealed class ApiKeyRegistry
{
    /// <summary>Keys that a tenant may have, expired ones not counted.</summary>
    public const int MaxKeys = 500;

    private readonly IApiKeyStore _store;
    private readonly Reloadable<ApiKeySettings> _settings;
    private readonly TimeProvider _time;

    internal ApiKeyRegistry(IApiKeyStore store, Reloadable<ApiKeySettings> settings, TimeProvider time) =>
        (_store, _settings, _time) = (store, settings, time);

    /// <summary>The tenant's keys of one mode, the newest first; expired ones for another 30 days.</summary>
    public async Task<IReadOnlyList<ApiKeyRecord>> List(string tenant, bool isTest, CancellationToken cancellation) =>
        [.. (await _store.List(tenant, cancellation)).Where(k => k.IsTest == isTest)];

    /// <summary>One key; null when the tenant has none of this id and mode.</summary>
    public async Task<ApiKeyRecord?> Find(string tenant, string id, bool isTest, CancellationToken cancellation) =>
        (await List(tenant, isTest, cancellation)).FirstOrDefault(k => k.Id == id);

    /// <summary>A new key; null when the tenant has <see cref="MaxKeys"/> of the mode already.</summary>
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
    /// A new key in place of an old one, which goes on for the overlap but not beyond its own end. A client that lost the answer may
    /// rotate again: the new key ends when the first one would have, not with the overlap.
    /// </summary>
    /// <returns>The new key and the old one's end; null when there is no such key or it has ended.</returns>
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

        // The old one was deleted meanwhile: nothing is to take its place.
        await _store.Remove(added.Record, cancellation, Entries(by, "key.deleted", added.Record, null));
        return null;
    }

    /// <summary>Moves a key's end; false when the key has gone meanwhile.</summary>
    public async Task<bool> MoveEnd(ApiKeyRecord key, DateTimeOffset expiresAt, CancellationToken cancellation) =>
        await _store.Replace(key with { ExpiresAt = expiresAt, LastUsedAt = null }, cancellation);

    /// <summary>Ends a key on every instance within one second.</summary>
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

    /// <summary>What the host makes for itself, such as the key of the documentation, has no entry.</summary>
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
