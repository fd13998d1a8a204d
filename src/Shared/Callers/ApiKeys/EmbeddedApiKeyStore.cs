using Bff.Audit;

namespace Bff.Callers.ApiKeys;

/// <summary>Keeps the keys of a single instance in memory. They are lost when it stops.</summary>
internal sealed class EmbeddedApiKeyStore(TimeProvider time, IAuditLog? log = null) : IApiKeyStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ApiKeyRecord> _byHash = [];
    private readonly Dictionary<(string Tenant, string Id), DateTimeOffset> _uses = [];

    public event Action<string>? Changed;

    public ValueTask<ApiKeyRecord?> Find(string hash, CancellationToken cancellation)
    {
        lock (_lock)
        {
            return new(_byHash.GetValueOrDefault(hash));
        }
    }

    public ValueTask<IReadOnlyList<ApiKeyRecord>> List(string tenant, CancellationToken cancellation)
    {
        lock (_lock)
        {
            foreach (var old in _byHash.Values.Where(k => ApiKeyOrder.IsForgotten(k, time)).ToList())
            {
                _byHash.Remove(old.Hash);
                _uses.Remove((old.Tenant, old.Id));
            }

            return new(
                ApiKeyOrder.Newest(
                    _byHash
                        .Values.Where(k => k.Tenant == tenant)
                        .Select(k => k with { LastUsedAt = _uses.TryGetValue((tenant, k.Id), out var at) ? at : null })
                )
            );
        }
    }

    public async ValueTask Add(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null)
    {
        lock (_lock)
        {
            _byHash.Add(key.Hash, key);
        }

        await log.Note(audit, cancellation);
        Changed?.Invoke(IApiKeyStore.Added);
    }

    public async ValueTask<bool> Replace(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null)
    {
        lock (_lock)
        {
            if (!_byHash.ContainsKey(key.Hash))
            {
                return false;
            }

            _byHash[key.Hash] = key;
        }

        await log.Note(audit, cancellation);
        Changed?.Invoke(key.Id);
        return true;
    }

    public async ValueTask Remove(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null)
    {
        bool wasThere;
        lock (_lock)
        {
            wasThere = _byHash.Remove(key.Hash);
            _uses.Remove((key.Tenant, key.Id));
        }

        await log.Note(wasThere ? audit : null, cancellation);
        Changed?.Invoke(key.Id);
    }

    public ValueTask<IReadOnlyList<string>> Touch(
        string tenant,
        IReadOnlyCollection<KeyValuePair<string, DateTimeOffset>> uses,
        CancellationToken cancellation
    )
    {
        lock (_lock)
        {
            var listed = _byHash.Values.Where(k => k.Tenant == tenant).Select(k => k.Id).ToHashSet(StringComparer.Ordinal);
            foreach (var (id, at) in uses)
            {
                if (listed.Contains(id) && at > _uses.GetValueOrDefault((tenant, id)))
                {
                    _uses[(tenant, id)] = at;
                }
            }

            return new([.. uses.Select(u => u.Key).Where(id => !listed.Contains(id))]);
        }
    }

    /// <summary>Returns false: the list is computed from the keys, so none can be missing.</summary>
    public ValueTask<bool> Relist(ApiKeyRecord key, CancellationToken cancellation) => new(false);
}

/// <summary>Order and expiry of a tenant's list, the same in both stores.</summary>
internal static class ApiKeyOrder
{
    private static readonly TimeSpan ShownAfterExpiry = TimeSpan.FromDays(30);

    /// <summary>Returns the keys newest first. Ids begin with the time, so they break ties.</summary>
    public static List<ApiKeyRecord> Newest(IEnumerable<ApiKeyRecord> keys) =>
        [.. keys.OrderByDescending(k => k.CreatedAt).ThenByDescending(k => k.Id, StringComparer.Ordinal)];

    /// <summary>Whether the key expired so long ago that lists no longer show it.</summary>
    public static bool IsForgotten(ApiKeyRecord key, TimeProvider time) => key.ExpiresAt < time.GetUtcNow() - ShownAfterExpiry;
}
