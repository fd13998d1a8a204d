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

/// <summary>Makes, lists, rotates and ends a tenant's keys. Every member throws <see cref="StoreUnavailableException"/> while the store is away.</summary>
public sealed class ApiKeyRegistry
{
    /// <summary>Keys that a tenant may have, expired ones not counted.</summary>
    public const int MaxKeys = 500;

    private readonly IApiKeyStore _store;
    private readonly Reloadable<ApiKeySettings> _settings;
    private readonly TimeProvider _time;

    internal ApiKeyRegistry(IApiKeyStore store, Reloadable<ApiKeySettings> settings, TimeProvider time) => (_store, _settings, _time) = (store, settings, time);

    /// <summary>The tenant's keys of one mode, the newest first; expired ones for another 30 days.</summary>
    public async Task<IReadOnlyList<ApiKeyRecord>> List(string tenant, bool isTest, CancellationToken cancellation) =>
        [.. (await _store.List(tenant, cancellation)).Where(k => k.IsTest == isTest)];

    /// <summary>One key; null when the tenant has none of this id and mode.</summary>
    public async Task<ApiKeyRecord?> Find(string tenant, string id, bool isTest, CancellationToken cancellation) =>
        (await List(tenant, isTest, cancellation)).FirstOrDefault(k => k.Id == id);

    /// <summary>A new key; null when the tenant has <see cref="MaxKeys"/> of the mode already.</summary>
    public async Task<NewApiKey?> Create(
        string tenant, string name, IReadOnlyList<string> scopes, bool isTest, DateTimeOffset? expiresAt, CancellationToken cancellation, string? session = null)
    {
        var now = _time.GetUtcNow();
        var keys = await List(tenant, isTest, cancellation);
        return keys.Count(k => !k.IsExpired(now)) >= MaxKeys ? null : await Add(tenant, name, scopes, isTest, expiresAt, session, cancellation);
    }

    /// <summary>
    /// A new key in place of an old one, which goes on for the overlap but not beyond its own end. Whoever lost the answer may rotate again: the new key ends
    /// when the first one would have, not with the overlap.
    /// </summary>
    /// <returns>The new key and the old one's end; null when there is no such key or it has ended.</returns>
    public async Task<(NewApiKey New, DateTimeOffset PreviousExpiresAt)?> Rotate(ApiKeyRecord previous, TimeSpan overlap, CancellationToken cancellation)
    {
        var end = _time.GetUtcNow() + overlap;
        end = previous.ExpiresAt < end ? previous.ExpiresAt.Value : end;
        var own = previous.EndWhenRotated;
        var added = await Add(previous.Tenant, previous.Name, previous.Scopes, previous.IsTest, own, previous.Session, cancellation);
        if (await _store.Replace(previous with { ExpiresAt = end, IsRotated = true, OwnExpiresAt = own, LastUsedAt = null }, cancellation))
        {
            return (added, end);
        }

        await _store.Remove(added.Record, cancellation); // Somebody deleted the old one meanwhile: nothing is to take its place.
        return null;
    }

    /// <summary>Moves a key's end; false when the key has gone meanwhile.</summary>
    public async Task<bool> MoveEnd(ApiKeyRecord key, DateTimeOffset expiresAt, CancellationToken cancellation) =>
        await _store.Replace(key with { ExpiresAt = expiresAt, LastUsedAt = null }, cancellation);

    /// <summary>Ends a key on every instance within one second.</summary>
    public async Task Delete(ApiKeyRecord key, CancellationToken cancellation) => await _store.Remove(key, cancellation);

    private async Task<NewApiKey> Add(
        string tenant, string name, IReadOnlyList<string> scopes, bool isTest, DateTimeOffset? expiresAt, string? session, CancellationToken cancellation)
    {
        var key = ApiKeyFormat.New(isTest);
        var now = _time.GetUtcNow();
        var record = new ApiKeyRecord
        {
            Id = "key_" + Guid.CreateVersion7(now).ToString("N"), Tenant = tenant, Name = name, Hash = _settings.Current.HashOf(key),
            Prefix = ApiKeyFormat.PrefixOf(key), LastFour = ApiKeyFormat.LastFourOf(key), IsTest = isTest, Scopes = scopes, CreatedAt = now, ExpiresAt = expiresAt, Session = session,
        };
        await _store.Add(record, cancellation);
        return new(key, record);
    }
}
