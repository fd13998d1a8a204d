using Bff.Audit;
using Bff.Callers;
using Bff.Callers.ApiKeys;
using Bff.Callers.Clients;
using Bff.Idempotency;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.Shared.Tests.RateLimiting;
using Bff.State;
using Bff.Tenancy;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Bff.Shared.Tests.State;

/// <summary>Tests a Redis that answers with errors because its user has lost rights or a key has another type.</summary>
public sealed class RefusalTests
{
    private static readonly RedisScript Push = new("return redis.call('RPUSH', KEYS[1], 'x')");
    private static readonly RedisScript Wrong = new("return redis.error_reply('ERR whatever Redis thinks of next')");

    [RedisFact]
    public async Task An_error_reply_is_the_stores_problem_and_ends_with_its_cause()
    {
        using var server = RedisServer.Run();
        using var state = await RedisStateTests.Connected(server.Address);
        await state.Run("SET", db => db.StringSetAsync("bff:test:{a}", "v"));

        await Assert.ThrowsAsync<StoreRefusedException>(() => state.Evaluate(Push, ["bff:test:{a}"], [])); // WRONGTYPE
        await Assert.ThrowsAsync<StoreRefusedException>(() => state.Run("LPUSH", db => db.ListLeftPushAsync("bff:test:{a}", "x")));
        await Assert.ThrowsAsync<StoreRefusedException>(() => state.Evaluate(Wrong, ["bff:test:{a}"], []));
        server.Command("ACL", "SETUSER", "default", "-get");
        await Assert.ThrowsAsync<StoreRefusedException>(() => state.Run("GET", db => db.StringGetAsync("bff:test:{a}"))); // NOPERM
        server.Command("ACL", "SETUSER", "default", "+get");

        Assert.Equal("v", (string?)await state.Run("GET", db => db.StringGetAsync("bff:test:{a}")));
        Assert.True(state.IsAvailable);
    }

    [RedisFact]
    public async Task It_is_logged_once_and_not_with_what_may_name_a_key()
    {
        using var server = RedisServer.Run();
        using var log = new LogRecorder();
        await using var provider = StateEngines.Provider(server.Address, log: log);
        var state = provider.GetRequiredService<RedisState>();
        state.Start();
        await RedisStateTests.Until(() => Task.FromResult(state.IsAvailable));

        for (var i = 0; i < 20; i++)
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => state.Evaluate(Wrong, ["bff:test:{a}"], []));
        }

        var line = Assert.Single(log.Entries, e => e.Level == LogLevel.Error);
        Assert.Contains("ERR", line.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("whatever", line.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_return_of_leases_outlives_error_replies_and_goes_on_when_they_end()
    {
        await using var host = await LimitedHost.Start(
            PlanFamily.Users,
            [],
            configure: b => b.Services.Decorate<ILimitStore>(s => new Refusing(s))
        );
        var store = (Refusing)host.Services.GetRequiredService<ILimitStore>();
        var returning = host.Services.GetServices<IHostedService>().OfType<LeaseReturn>().Single();
        var leases = host.Services.GetRequiredService<LimitLeases>();
        var policy = new BucketPolicy("burst", 1_000, 1);
        var set = new LimitSet(
            new Plan
            {
                Name = "free",
                Burst = 1_000,
                RequestsPerMinute = 1,
            },
            null,
            new Bucket("a", "b", policy)
        );
        await leases.Renew(set, 1, 1);

        store.Refuses = true;
        await Eventually.True(() => store.Refused > 1);
        Assert.False(returning.ExecuteTask!.IsCompleted);

        store.Refuses = false;
        var before = store.Returned;
        await Eventually.True(async () =>
        {
            await leases.Renew(set, 1, 1);
            return store.Returned > before;
        });
        Assert.False(returning.ExecuteTask!.IsCompleted);
    }

    [Fact]
    public async Task The_last_use_of_a_key_is_written_after_an_error_reply()
    {
        var clock = new ManualTimeProvider();
        using var logging = WatchedLogging.NewFactory();
        var inner = new EmbeddedApiKeyStore(clock);
        var record = new ApiKeyRecord
        {
            Id = "k-1",
            Tenant = "acme",
            Hash = "h",
            Name = "n",
            Prefix = "p",
            LastFour = "four",
            CreatedAt = clock.GetUtcNow(),
        };
        await inner.Add(record, default);
        var store = new RefusingKeys(inner);
        using var uses = new ApiKeyUses(store, clock, logging.CreateLogger<ApiKeyUses>());
        await uses.StartAsync(default);
        uses.Note(new RememberedKey("key", record, CallerResult.Refused(ProblemCodes.InvalidApiKey), 0, 0), clock.GetUtcNow());

        await Eventually.True(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(10));
            return store.Refused > 1;
        });
        Assert.False(uses.ExecuteTask!.IsCompleted);
        store.Refuses = false;
        await Eventually.True(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(10));
            return store.Written > 0;
        });
        await uses.StopAsync(default);
    }

    [Fact]
    public async Task An_answer_is_served_and_kept_though_its_lock_could_not_be_renewed()
    {
        var clock = new ManualTimeProvider();
        using var logging = WatchedLogging.NewFactory();
        var options = Options.Create(new IdempotencyOptions());
        var store = new RefusingLocks(new EmbeddedIdempotencyStore(options, clock));
        var idempotent = new Idempotent(store, options, clock, logging.CreateLogger<Idempotent>());
        var request = new KeyedRequest("key", "scope");

        var served = await idempotent.RunItem(
            request,
            "1",
            default,
            async _ =>
            {
                await Eventually.True(() =>
                {
                    clock.Advance(options.Value.Lease / 10);
                    return store.Refused > 0;
                });
                return new StoredAnswer(201, [], [1]);
            }
        );

        Assert.Equal(201, served.Answer!.Status);
        var repeated = await idempotent.RunItem(request, "1", default, _ => throw new InvalidOperationException("it is sent twice"));
        Assert.Equal(201, repeated.Answer!.Status);
    }

    private sealed class RefusingLocks(IIdempotencyStore inner) : IIdempotencyStore
    {
        private int _refused;

        public int Refused => Volatile.Read(ref _refused);

        public ValueTask<IdempotencyClaim> Claim(
            string key,
            string fingerprint,
            string owner,
            long fencingToken,
            CancellationToken cancellation
        ) => inner.Claim(key, fingerprint, owner, fencingToken, cancellation);

        public ValueTask<bool> Renew(string key, string owner, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _refused);
            throw new InvalidOperationException("an answer that nobody expected");
        }

        public ValueTask<StoredAnswer?> Complete(
            string key,
            string fingerprint,
            string owner,
            StoredAnswer answer,
            CancellationToken cancellation
        ) => inner.Complete(key, fingerprint, owner, answer, cancellation);

        public ValueTask Release(string key, string owner, bool keepFingerprint, CancellationToken cancellation) =>
            inner.Release(key, owner, keepFingerprint, cancellation);
    }

    private sealed class Refusing(ILimitStore inner) : ILimitStore
    {
        private int _refused;
        private int _returned;

        public bool Refuses { get; set; }

        public int Refused => Volatile.Read(ref _refused);

        public int Returned => Volatile.Read(ref _returned);

        public bool IsAway => inner.IsAway;

        public ValueTask<StoreAnswer> Take(string tag, LevelDemand[] levels)
        {
            Refuse();
            if (levels.Any(l => l.Back > 0))
            {
                Interlocked.Increment(ref _returned);
            }

            return inner.Take(tag, levels);
        }

        public ValueTask<LeaseRotation> Join(string instance)
        {
            Refuse();
            return inner.Join(instance);
        }

        public ValueTask<IReadOnlyDictionary<DateOnly, long>> Overage(string tag) => inner.Overage(tag);

        private void Refuse()
        {
            if (Refuses)
            {
                Interlocked.Increment(ref _refused);
                throw new InvalidOperationException("an answer that nobody expected");
            }
        }
    }

    private sealed class RefusingKeys(IApiKeyStore inner) : IApiKeyStore
    {
        public bool Refuses { get; set; } = true;

        public int Refused { get; private set; }

        public int Written { get; private set; }

        public event Action<string>? Changed
        {
            add => inner.Changed += value;
            remove => inner.Changed -= value;
        }

        public ValueTask<ApiKeyRecord?> Find(string hash, CancellationToken cancellation) => inner.Find(hash, cancellation);

        public ValueTask<IReadOnlyList<ApiKeyRecord>> List(string tenant, CancellationToken cancellation) =>
            inner.List(tenant, cancellation);

        public ValueTask Add(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) =>
            inner.Add(key, cancellation, audit);

        public ValueTask<bool> Replace(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) =>
            inner.Replace(key, cancellation, audit);

        public ValueTask Remove(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) =>
            inner.Remove(key, cancellation, audit);

        public ValueTask<bool> Relist(ApiKeyRecord key, CancellationToken cancellation) => inner.Relist(key, cancellation);

        public ValueTask<IReadOnlyList<string>> Touch(
            string tenant,
            IReadOnlyCollection<KeyValuePair<string, DateTimeOffset>> uses,
            CancellationToken cancellation
        )
        {
            if (Refuses)
            {
                Refused++;
                throw new InvalidOperationException("an answer that nobody expected");
            }

            Written++;
            return inner.Touch(tenant, uses, cancellation);
        }
    }
}
