using System.Security.Cryptography;
using System.Text;
using Bff.Audit;
using Bff.Callers;
using Bff.Callers.ApiKeys;
using Bff.Configuration;
using Bff.Requests;
using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Callers.ApiKeys;

/// <summary>
/// Counts the work that an attacker could time. A key is looked up only by its HMAC under a secret pepper. The work is therefore the same
/// for every invalid key, and a guess that is close to a real key changes nothing that the store or a dictionary compares.
/// </summary>
public sealed class ApiKeyLookUpTests : IAsyncDisposable
{
    private const string Pepper = "a pepper of more than thirty-two characters";
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static readonly string Configured = Complete("ConfiguredConfiguredConfigured00");
    private readonly ServiceProvider _services = Services();

    private ApiKeyVerifier Verifier => _services.GetRequiredService<ApiKeyVerifier>();

    private ApiKeySettings Settings => _services.GetRequiredService<Reloadable<ApiKeySettings>>().Current;

    private RecordingStore Store => (RecordingStore)_services.GetRequiredService<IApiKeyStore>();

    [Fact]
    public async Task A_key_with_a_mistyped_character_anywhere_makes_no_lookup()
    {
        var key = (await NewKey()).Key;
        for (var i = 0; i < key.Length; i++)
        {
            Assert.Null((await Verifier.Verify(key[..i] + (key[i] == 'x' ? 'y' : 'x') + key[(i + 1)..], default)).Caller);
        }

        Assert.Empty(Store.LookUps);
    }

    [Fact]
    public async Task Unknown_revoked_expired_and_valid_keys_each_cost_one_lookup_by_their_hmac()
    {
        var (good, revoked, ended) = (await NewKey(), await NewKey(), await NewKey(TimeSpan.FromSeconds(-1)));
        await Store.Remove(revoked.Record, default);
        var refusals = new List<CallerResult>();
        foreach (var key in (string[])[ApiKeyFormat.New(isTest: false), revoked.Key, ended.Key, good.Key])
        {
            Store.LookUps.Clear();
            var result = await Verifier.Verify(key, default);
            Assert.Equal([HashOf(key)], Store.LookUps);
            if (key != good.Key)
            {
                refusals.Add(result);
            }
            else
            {
                Assert.NotNull(result.Caller);
            }
        }

        // All refusals are the same object, so a client cannot tell them apart.
        Assert.Single(refusals.Select(r => (object?)r.Refusal).Distinct(ReferenceEqualityComparer.Instance));
    }

    [Fact]
    public async Task Configured_keys_are_found_by_their_hmac_and_guesses_at_them_cost_one_lookup()
    {
        var nearly = Complete("ConfiguredConfiguredConfigured01");

        Assert.NotNull((await Verifier.Verify(Configured, default)).Caller);
        Assert.Empty(Store.LookUps);
        Assert.Null((await Verifier.Verify(nearly, default)).Caller);
        Assert.Equal([HashOf(nearly)], Store.LookUps);
        // The settings hold only the HMAC, so the key itself is never compared.
        Assert.Equal(HashOf(Configured), Assert.Single(Settings.Bootstrap).Key);
    }

    [Fact]
    public async Task A_key_that_is_deleted_during_its_lookup_is_not_cached()
    {
        var made = await NewKey();
        Store.Found = () => Store.Remove(made.Record, default);
        await Verifier.Verify(made.Key, default);
        Store.Found = null;

        Assert.Null((await Verifier.Verify(made.Key, default)).Caller);
    }

    /// <summary>
    /// Tries every key that differs from a real one in one character. The pepper and the key are fixed, so the figures are the same on
    /// every run.
    /// </summary>
    [Fact]
    public void The_hash_of_a_close_guess_is_no_closer_than_that_of_any_other_guess()
    {
        const string Random = "ThisIsARealKeyThisIsARealKey0123";
        var real = Settings.HashOf(Complete(Random));
        var (guesses, same, longest) = (0, 0, 0);
        for (var at = 0; at < Random.Length; at++)
        {
            foreach (var other in Digits.Where(d => d != Random[at]))
            {
                var guess = Complete(Random[..at] + other + Random[(at + 1)..]);
                Assert.True(ApiKeyFormat.IsValid(guess));
                var hash = Settings.HashOf(guess);
                guesses++;
                same += hash.Zip(real).Count(pair => pair.First == pair.Second);
                longest = Math.Max(longest, hash.Zip(real).TakeWhile(pair => pair.First == pair.Second).Count());
            }
        }

        // Of 64 hexadecimal digits 4 agree by chance. Of 1952 guesses the closest shares about 3 leading digits with the real hash.
        Assert.InRange(same / (double)guesses, 3.8, 4.2);
        Assert.InRange(longest, 0, 5);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private async Task<NewApiKey> NewKey(TimeSpan? lives = null) =>
        (
            await _services
                .GetRequiredService<ApiKeyRegistry>()
                .Create("acme", "n", ["orders.read"], isTest: false, lives is { } life ? DateTimeOffset.UtcNow + life : null, default)
        )!;

    // Computes RFC 2104 with the framework, independently of the code under test.
    private static string HashOf(string key) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Pepper), Encoding.ASCII.GetBytes(key)));

    private static string Complete(string random)
    {
        var crc = uint.MaxValue;
        foreach (var c in random)
        {
            crc ^= c;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 1 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
            }
        }

        crc = ~crc;
        var checksum = "";
        for (var i = 0; i < 6; i++)
        {
            checksum = Digits[(int)(crc % 62)] + checksum;
            crc /= 62;
        }

        return "pk_live_" + random + checksum;
    }

    private static ServiceProvider Services()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.Watch();
        builder.Configuration["ApiKeys:Pepper"] = Pepper;
        builder.Configuration["ApiKeys:Bootstrap:acme"] = Configured;
        builder.AddReloading().AddState();
        builder.AddApiKeys("orders.read");
        builder.Services.Decorate<IApiKeyStore>(store => new RecordingStore(store));
        return builder.Services.BuildServiceProvider();
    }

    private sealed class RecordingStore(IApiKeyStore inner) : IApiKeyStore
    {
        public List<string> LookUps { get; } = [];

        /// <summary>Runs between a lookup and its answer.</summary>
        public Func<ValueTask>? Found { get; set; }

        public event Action<string>? Changed
        {
            add => inner.Changed += value;
            remove => inner.Changed -= value;
        }

        public async ValueTask<ApiKeyRecord?> Find(string hash, CancellationToken cancellation)
        {
            LookUps.Add(hash);
            var found = await inner.Find(hash, cancellation);
            await (Found?.Invoke() ?? default);
            return found;
        }

        public ValueTask<IReadOnlyList<ApiKeyRecord>> List(string tenant, CancellationToken cancellation) =>
            inner.List(tenant, cancellation);

        public ValueTask Add(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) =>
            inner.Add(key, cancellation, audit);

        public ValueTask<bool> Replace(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) =>
            inner.Replace(key, cancellation, audit);

        public ValueTask Remove(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) =>
            inner.Remove(key, cancellation, audit);

        public ValueTask<IReadOnlyList<string>> Touch(
            string tenant,
            IReadOnlyCollection<KeyValuePair<string, DateTimeOffset>> uses,
            CancellationToken cancellation
        ) => inner.Touch(tenant, uses, cancellation);

        public ValueTask<bool> Relist(ApiKeyRecord key, CancellationToken cancellation) => inner.Relist(key, cancellation);
    }
}
