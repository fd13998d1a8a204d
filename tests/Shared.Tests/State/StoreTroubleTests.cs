using System.Collections.Concurrent;
using System.Globalization;
using Bff.Audit;
using Bff.Caching;
using Bff.Callers.ApiKeys;
using Bff.Callers.Revoked;
using Bff.Events;
using Bff.Idempotency;
using Bff.RateLimiting;
using Bff.Sessions.Stores;
using Bff.Shared.Tests.Caching;
using Bff.Shared.Tests.Events;
using Bff.State;
using Bff.Tenancy;
using Bff.Tenants;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Bff.Shared.Tests.State;

/// <summary>
/// Tests every store while its server is frozen, killed, restarted, slow, moved and full. The store reports that the server is unavailable,
/// recovers by itself, and keeps acknowledged writes.
/// </summary>
public sealed class StoreTroubleTests
{
    private const int Most = 5_000;
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private static readonly Dictionary<string, Func<IServiceProvider, StoreProbe>> Probes = new()
    {
        [nameof(ILimitStore)] = Limits,
        [nameof(IRevocationStore)] = Revocations,
        [nameof(IApiKeyStore)] = ApiKeys,
        [nameof(ISessionStore)] = Sessions,
        [nameof(IIdempotencyStore)] = Idempotency,
        [nameof(IKeyRing)] = Keys,
        [nameof(IEventLog)] = Log,
        [nameof(IEventQueue)] = Queue,
        [nameof(RedisFragments)] = Fragments,
        [nameof(ITenantStore)] = Tenants,
        [nameof(IAuditLog)] = Audit,
    };

    public static TheoryData<string, RedisTrouble> Cases => StoreProbe.Cases(Probes.Keys);

    [RedisTheory]
    [MemberData(nameof(Cases))]
    public async Task A_store_outlives_the_trouble_of_its_server(string store, RedisTrouble trouble)
    {
        using var redis = new TroubledRedis();
        await using var services = Services(
            redis.ConnectionString,
            trouble == RedisTrouble.Frozen ? "00:00:00.250" : Generous.StateTimeout
        );
        var probe = Probes[store](services);
        services.GetRequiredService<RedisState>().Start();

        await probe.Outlives(trouble, redis);
    }

    /// <summary>Creates a probe of every store.</summary>
    internal static Dictionary<string, StoreProbe> ProbesOf(IServiceProvider services) =>
        Probes.ToDictionary(p => p.Key, p => p.Value(services));

    internal static ServiceProvider Services(string connectionString, string timeout, LogRecorder? log = null, int replicas = 0) =>
        StateEngines.Provider(
            connectionString,
            null,
            timeout,
            log,
            builder =>
            {
                if (replicas > 0)
                {
                    builder.Configuration["State:Replicas"] = replicas.ToString(CultureInfo.InvariantCulture);
                }

                builder.AddAudit().AddTenants().AddCaching().AddEvents();
            }
        );

    /// <summary>Returns whether a failover must not lose the store's writes. Limits and shared fragments restore themselves.</summary>
    internal static bool IsPromised(string store) => store is not (nameof(ILimitStore) or nameof(RedisFragments));

    /// <summary>Takes the only token of a bucket. After that, nobody gets another.</summary>
    private static StoreProbe Limits(IServiceProvider services)
    {
        var store = new RedisLimitStore(services.GetRequiredService<RedisState>(), new HostingEnvironment { ApplicationName = "Tests" });
        var policy = new BucketPolicy("burst", 1, 1, PerDay: 1);
        async Task<bool> Take(int n) => (await store.Take("a", [new("b" + Text(n), policy, 1, 1)])).IsAdmitted;
        return Probe(Take, async n => !await Take(n));
    }

    private static StoreProbe Revocations(IServiceProvider services)
    {
        var store = ActivatorUtilities.CreateInstance<RedisRevocationStore>(services);
        return Probe(
            n => store.Add(Revocation.OfToken("t-" + Text(n), Now.AddHours(1)), default),
            async n => (await store.All(default)).Any(r => r.TokenId == "t-" + Text(n))
        );
    }

    private static StoreProbe ApiKeys(IServiceProvider services)
    {
        var store = ActivatorUtilities.CreateInstance<RedisApiKeyStore>(services);
        return Probe(
            n =>
                store
                    .Add(
                        new()
                        {
                            Id = Text(n),
                            Tenant = "acme",
                            Name = "n",
                            Hash = "hash-" + Text(n),
                            Prefix = "pk_live_ab",
                            LastFour = "wxyz",
                            Scopes = [],
                            CreatedAt = Now,
                        },
                        default
                    )
                    .AsTask(),
            async n =>
                (await store.Find("hash-" + Text(n), default))?.Id == Text(n)
                && (await store.List("acme", default)).Any(k => k.Id == Text(n))
        );
    }

    private static StoreProbe Sessions(IServiceProvider services)
    {
        var store = ActivatorUtilities.CreateInstance<RedisSessionStore>(services);
        return Probe(
            n => store.Add("s-" + Text(n), new StoredSession([1], Now, Now.AddHours(8), 0), TimeSpan.FromMinutes(30), ["of-user:a"]),
            async n =>
                (await store.Find("s-" + Text(n), Now, TimeSpan.FromMinutes(30), null)).Session is not null
                && (await store.Members("of-user:a")).Contains("s-" + Text(n))
        );
    }

    /// <summary>Tests that an answered request is never sent again.</summary>
    private static StoreProbe Idempotency(IServiceProvider services)
    {
        var store = new RedisIdempotencyStore(
            services.GetRequiredService<RedisState>(),
            Options.Create(new IdempotencyOptions { Lease = TimeSpan.FromHours(1) })
        );
        var answer = new StoredAnswer(201, [], [1]);
        return Probe(
            async n =>
            {
                // The claim of an unanswered attempt is released later by its owner's name.
                var owner = Guid.NewGuid().ToString("N");
                var outcome = (await store.Claim("k-" + Text(n), "f", owner, 0, default)).Outcome;
                if (outcome == ClaimOutcome.Taken)
                {
                    await store.Complete("k-" + Text(n), "f", owner, answer, default);
                }
                else if (outcome != ClaimOutcome.Answered)
                {
                    throw new StoreUnavailableException();
                }
            },
            async n => (await store.Claim("k-" + Text(n), "f", "you", 0, default)).Outcome == ClaimOutcome.Answered
        );
    }

    /// <summary>Another instance, which has not cached the key, looks it up.</summary>
    private static StoreProbe Keys(IServiceProvider services)
    {
        var (redis, ids) = (services.GetRequiredService<RedisState>(), new ConcurrentDictionary<int, string>());
        var ring = new RedisKeyRing(redis, TimeProvider.System);
        return Probe(
            async n => ids[n] = (await ring.Current("purpose-" + Text(n), default)).Id,
            async n => await new RedisKeyRing(redis, TimeProvider.System).Find("purpose-" + Text(n), ids[n], default) is not null
        );
    }

    private static StoreProbe Log(IServiceProvider services)
    {
        var log = services.GetRequiredService<IEventLog>();
        return Probe(
            n => log.Append([Sample.Event("ann", id: "e-" + Text(n))], default),
            async n => (await log.ReadUser("ann", default, Most, default)).Events.Count(e => e.Head.SourceId == "e-" + Text(n)) == 1
        );
    }

    /// <summary>Each event is handed out once, to the instance that processes it.</summary>
    private static StoreProbe Queue(IServiceProvider services)
    {
        var (log, queue, taken) = (
            services.GetRequiredService<IEventLog>(),
            services.GetRequiredService<IEventQueue>(),
            new ConcurrentDictionary<string, int>()
        );
        return Probe(
            async n =>
            {
                await queue.Watch("acme", default);
                await log.Append([Sample.Event(tenant: "acme", id: "q-" + Text(n))], default);
            },
            async n =>
            {
                foreach (var each in await queue.Take(Most, default))
                {
                    taken.AddOrUpdate(each.Head.SourceId, 1, static (_, times) => times + 1);
                }

                return taken.GetValueOrDefault("q-" + Text(n)) == 1;
            }
        );
    }

    /// <summary>A tenant is also found by its domain.</summary>
    private static StoreProbe Tenants(IServiceProvider services)
    {
        var store = services.GetRequiredService<ITenantStore>();
        static byte[] Document(int n) => new TenantDocument { Plan = "free", CustomDomain = $"t{Text(n)}.example" }.Write();
        return Probe(
            async n => _ = await store.Write(new("t-" + Text(n), null, Document(n), []), default),
            async n =>
                (await store.Find("t-" + Text(n), default)).AsSpan().SequenceEqual(Document(n))
                && (await store.FindByDomain($"t{Text(n)}.example", default)).Owner == "t-" + Text(n)
                && (await store.List(null, Most, default)).Any(t => t.Key == "t-" + Text(n))
        );
    }

    private static StoreProbe Audit(IServiceProvider services)
    {
        var log = services.GetRequiredService<IAuditLog>();
        return Probe(
            n =>
                log.Add(
                    [
                        new AuditEntry(
                            new AuditQuery(Since: Now).FirstId + n.ToString("x20", CultureInfo.InvariantCulture),
                            Now,
                            "user:ann",
                            "acme",
                            "key.created",
                            "key_" + Text(n),
                            null,
                            null,
                            null
                        ),
                    ],
                    default
                ),
            async n => (await log.Read(new("acme"), null, Most, default)).Entries.Count(e => e.Target == "key_" + Text(n)) == 1
        );
    }

    /// <summary>
    /// This store never throws. Without versions, the server has not answered, and only a read shows whether the write happened.
    /// </summary>
    private static StoreProbe Fragments(IServiceProvider services)
    {
        var shared = services.GetRequiredService<RedisFragments>();
        static FragmentKey Key(int n)
        {
            var life = TimeSpan.FromHours(1);
            Assert.True(
                FragmentKey.TryMake(
                    new FragmentRequest<Item>(
                        "item:" + Text(n),
                        CacheScope.Public,
                        Caching.Fragments.Ann,
                        life,
                        life,
                        ["item"],
                        ItemJson.Default.Item
                    ),
                    out var key
                )
            );
            return key;
        }

        async Task<SharedRead> Read(int n) =>
            await shared.Read(Key(n), ["item"], default) is { Versions: not null } read ? read : throw new StoreUnavailableException();
        return Probe(
            async n =>
            {
                await shared.Write(Key(n), (await Read(n)).Versions!, "{}"u8.ToArray(), default, TimeSpan.Zero, TimeSpan.FromHours(1));
                _ = (await Read(n)).Json ?? throw new StoreUnavailableException();
            },
            async n => (await Read(n)).Json is not null
        );
    }

    private static StoreProbe Probe(Func<int, Task> write, Func<int, Task<bool>> isThere) =>
        new(write, isThere, static e => e is StoreUnavailableException);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
