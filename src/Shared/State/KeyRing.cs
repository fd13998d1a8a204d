using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Bff.Concurrency;

namespace Bff.State;

/// <summary>
/// Creates one key per purpose and period of 30 days; the first use in a period creates the key. Keys are cached in process and read again
/// every minute. If the store lost a key, an instance that still has it writes it back.
/// </summary>
internal abstract class KeyRing(TimeProvider time) : IKeyRing
{
    private const int OlderKept = 2;
    private static readonly TimeSpan Period = TimeSpan.FromDays(30);
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan UnknownAskedAfter = TimeSpan.FromSeconds(1);

    /// <summary>Lifetime of a stored key: long enough to verify the last tokens of its period until the key is too old.</summary>
    protected static readonly TimeSpan Lifetime = (OlderKept + 2) * Period;

    private readonly ConcurrentDictionary<string, Keys> _known = new(StringComparer.Ordinal);
    private readonly SingleFlight<string> _reads = new(StringComparer.Ordinal);

    public async ValueTask<RingKey> Current(string purpose, CancellationToken cancellation) =>
        (await Fresh(purpose, RefreshAfter, cancellation)).Ordered[0];

    public async ValueTask<IReadOnlyList<RingKey>> All(string purpose, CancellationToken cancellation) =>
        (await Fresh(purpose, RefreshAfter, cancellation)).Ordered;

    public async ValueTask<RingKey?> Find(string purpose, string id, CancellationToken cancellation) =>
        (await Fresh(purpose, RefreshAfter, cancellation)).Find(id) ?? (await Fresh(purpose, UnknownAskedAfter, cancellation)).Find(id);

    /// <summary>Returns the value that the store has under the name. If there is none, the candidate is stored.</summary>
    protected abstract Task<byte[]> GetOrAdd(string name, byte[] candidate);

    /// <summary>Returns the value that the store has under the name, or null.</summary>
    protected abstract Task<byte[]?> Get(string name);

    private ValueTask<Keys> Fresh(string purpose, TimeSpan within, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        if (_known.TryGetValue(purpose, out var keys) && keys.Period == PeriodOf(now) && now - keys.ReadAt < within)
        {
            return new(keys);
        }

        return new(Read(purpose, keys, cancellation));
    }

    private async Task<Keys> Read(string purpose, Keys? known, CancellationToken cancellation)
    {
        try
        {
            return await _reads.Run(purpose, this, static (p, ring) => ring.ReadOnce(p)).WaitAsync(cancellation);
        }
        catch (StoreException) when (known is not null && known.Period == PeriodOf(time.GetUtcNow()))
        {
            return known;
        }
    }

    private async Task<Keys> ReadOnce(string purpose)
    {
        var now = time.GetUtcNow();
        var period = PeriodOf(now);
        _known.TryGetValue(purpose, out var known);
        var current = await GetOrAdd(Name(purpose, period), known?.MaterialOf(period) ?? RandomNumberGenerator.GetBytes(64));
        var keys = new Keys(period, now, known);
        keys.Add(period, current);
        for (var older = period - 1; older >= period - OlderKept; older--)
        {
            if (await Get(Name(purpose, older)) is { } material)
            {
                keys.Add(older, material);
            }
        }

        if (await Get(Name(purpose, period + 1)) is { } next) // An instance whose clock is ahead may have begun the next period.
        {
            keys.Add(period + 1, next);
        }

        _known[purpose] = keys;
        return keys;
    }

    private static long PeriodOf(DateTimeOffset now) => now.ToUnixTimeSeconds() / (long)Period.TotalSeconds;

    private static string Name(string purpose, long period) =>
        string.Create(CultureInfo.InvariantCulture, $"bff:keys:{{{purpose}}}:{period}");

    /// <summary>
    /// Returns an id made of the period and a hash of the material, because an emptied store gets a different key for the same period.
    /// </summary>
    private static string IdOf(long period, byte[] material) =>
        string.Create(CultureInfo.InvariantCulture, $"{period}-{Base64Url.EncodeToString(SHA256.HashData(material).AsSpan(0, 6))}");

    private sealed class Keys(long period, DateTimeOffset readAt, Keys? before)
    {
        private readonly List<(long Period, RingKey Key)> _all = [.. before?._all.Where(k => k.Period >= period - OlderKept) ?? []];

        public long Period => period;

        public DateTimeOffset ReadAt => readAt;

        /// <summary>All keys, the current one first.</summary>
        public IReadOnlyList<RingKey> Ordered { get; private set; } = [];

        public RingKey? Find(string id) => _all.Find(k => k.Key.Id == id).Key;

        public byte[]? MaterialOf(long wanted) => _all.Find(k => k.Period == wanted).Key?.Material.ToArray();

        public void Add(long keyPeriod, byte[] material)
        {
            var id = IdOf(keyPeriod, material);
            _all.RemoveAll(k => k.Key.Id == id);
            _all.Insert(0, (keyPeriod, new RingKey(id, material))); // The store's key takes precedence over a remembered one.
            Ordered = [.. _all.OrderBy(k => k.Period == period ? 0 : 1).Select(k => k.Key)];
        }
    }
}

/// <summary>
/// Stores keys in Redis under <c>bff:keys:{purpose}:period</c>. A key is written once (SET NX) and expires when it is too old.
/// </summary>
internal sealed class RedisKeyRing(RedisState redis, TimeProvider time) : KeyRing(time)
{
    protected override async Task<byte[]> GetOrAdd(string name, byte[] candidate) =>
        // An existing key can be read while no replica is available.
        await Get(name)
        ?? await redis.Write(
            "SET",
            async database =>
            {
                // Another instance may have set the key first. Reading it gives every instance the same key.
                await database.StringSetAsync(name, candidate, Lifetime, StackExchange.Redis.When.NotExists);
                return (byte[]?)await database.StringGetAsync(name, StackExchange.Redis.CommandFlags.DemandMaster)
                    ?? throw new StoreUnavailableException();
            }
        );

    protected override Task<byte[]?> Get(string name) => redis.Run("GET", async database => (byte[]?)await database.StringGetAsync(name));
}

/// <summary>Keeps keys in memory for the lifetime of the process.</summary>
internal sealed class EmbeddedKeyRing(TimeProvider time) : KeyRing(time)
{
    private readonly ConcurrentDictionary<string, byte[]> _keys = new(StringComparer.Ordinal);

    protected override Task<byte[]> GetOrAdd(string name, byte[] candidate) => Task.FromResult(_keys.GetOrAdd(name, candidate));

    protected override Task<byte[]?> Get(string name) => Task.FromResult(_keys.GetValueOrDefault(name));
}
