using System.Globalization;
using Bff.State;
using PartnerBff.Requests;
using PartnerBff.Usage;
using PartnerBff.Webhooks;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Tests;

/// <summary>
/// Tests the partners' stores while their server is frozen, killed, restarted, slow, moved and full, as the shared stores are tested.
/// </summary>
public sealed class StoreTroubleTests
{
    private const int OperationsPerStore = 30;
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private static readonly Dictionary<string, Func<RedisState, StoreProbe>> Probes = new()
    {
        [nameof(IUsageStore)] = Usage,
        [nameof(IRequestLogStore)] = Requests,
        [nameof(IWebhookStore)] = Webhooks,
    };

    public static TheoryData<string, RedisTrouble> Cases => StoreProbe.Cases(Probes.Keys);

    [RedisTheory]
    [MemberData(nameof(Cases))]
    public async Task A_store_survives_the_trouble_of_its_server(string store, RedisTrouble trouble)
    {
        using var redis = new TroubledRedis();
        using var logging = WatchedLogging.NewFactory();
        using var state = Stores.State(
            redis.ConnectionString,
            logging,
            trouble == RedisTrouble.Frozen ? TimeSpan.FromMilliseconds(250) : TimeSpan.FromSeconds(5)
        );

        await Probes[store](state).Outlives(trouble, redis);
    }

    /// <summary>The same test as <c>StoreEnginesTests</c> has for the shared stores.</summary>
    [RedisTheory]
    [InlineData(RedisEngine.Tls)]
    [InlineData(RedisEngine.Sentinel)]
    [InlineData(RedisEngine.Rotation)]
    [InlineData(RedisEngine.Cluster)]
    public async Task Every_store_works_on_every_kind_of_Redis_deployment(RedisEngine engine)
    {
        using var server = RedisServer.Run(engine);
        using var logging = WatchedLogging.NewFactory();
        using var state = await Stores.Connect(server, logging);
        using var load = new StoreLoad(Probes.ToDictionary(p => p.Key, p => p.Value(state)));

        await load.During(() => load.More(OperationsPerStore));

        Assert.Empty(await load.Lost());
        Assert.Equal(0, load.Refused);
    }

    /// <summary>Probes that usage is counted once, however often it was sent.</summary>
    private static StoreProbe Usage(RedisState redis)
    {
        var (store, day) = (new RedisUsageStore(redis), DateOnly.FromDateTime(Now.UtcDateTime));
        var one = new EndpointUsage();
        one.Add(200, TimeSpan.FromMilliseconds(5), overage: 0);
        return Probe(
            n => store.Add("live:acme", day, new("of-" + Text(n), 1), [("GET /" + Text(n), one)], default).AsTask(),
            async n => (await store.Read("live:acme", day, default)).GetValueOrDefault("GET /" + Text(n))?.Requests == 1
        );
    }

    private static StoreProbe Requests(RedisState redis)
    {
        var store = new RedisRequestLogStore(redis);
        return Probe(
            n => store.Add("live:acme", [new("r-" + Text(n), Now, "GET", "/v1/orders", 200, 1.5, null)], default),
            async n => (await store.Read("live:acme", default)).Any(r => r.Id == "r-" + Text(n))
        );
    }

    /// <summary>Probes an endpoint together with a delivery to it.</summary>
    private static StoreProbe Webhooks(RedisState redis)
    {
        var store = new RedisWebhookStore(redis);
        return Probe(
            async n =>
            {
                await store.Add(
                    new()
                    {
                        Id = "w-" + Text(n),
                        Owner = "live:acme",
                        Url = "https://partner.example/",
                        Types = ["*"],
                        CreatedAt = Now,
                        Secrets = [new([1, 2, 3], null)],
                    },
                    default
                );
                await store.Begin([Delivery(n)], Now, default);
            },
            async n =>
                await store.Find("live:acme", "w-" + Text(n), default) is not null
                && (await store.Due(Now, 1_000, default)).Contains("w-" + Text(n))
        );
    }

    private static WebhookDelivery Delivery(int n) =>
        new()
        {
            Id = "d-" + Text(n),
            Owner = "live:acme",
            EndpointId = "w-" + Text(n),
            EventId = "1-0",
            Type = "order.shipped",
            Body = [1],
            CreatedAt = Now,
            NextAttemptAt = Now,
        };

    private static StoreProbe Probe(Func<int, Task> write, Func<int, Task<bool>> isThere) =>
        new(write, isThere, static e => e is StoreUnavailableException);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
