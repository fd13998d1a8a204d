using System.Globalization;
using System.Text.Json;
using Bff.Audit;
using Bff.State;
using StackExchange.Redis;
using Scripts = PartnerBff.Webhooks.Stores.RedisWebhookScripts;

namespace PartnerBff.Webhooks.Stores;

/// <summary>
/// Keeps webhooks in Redis. All keys share one hash tag: <c>o:&lt;owner&gt;</c> is a hash of endpoints, <c>d:&lt;id&gt;</c> a delivery,
/// <c>l:&lt;endpoint&gt;</c> its deliveries by age, <c>q:&lt;endpoint&gt;</c> its unfinished ones by due time, <c>due</c> the endpoints by
/// the due time of their first one, <c>failing</c> the endpoints by the time since when they fail.
/// </summary>
internal sealed class RedisWebhookStore(RedisState redis, AuditOutbox? outbox = null) : IWebhookStore
{
    private const string Prefix = "bff:webhooks:{webhooks}:";
    private const string Slot = "webhooks";
    private const int Listed = 10_000;
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);
    private static readonly RedisKey OwnersKey = Prefix + "owners";
    private static readonly RedisKey DueKey = Prefix + "due";
    private static readonly RedisKey FailingKey = Prefix + "failing";

    public async Task<IReadOnlyList<string>> Owners(CancellationToken cancellation) =>
        [.. (await redis.Run("SMEMBERS", database => database.SetMembersAsync(OwnersKey), cancellation)).Select(o => (string)o!)];

    public async Task<IReadOnlyList<WebhookEndpoint>> List(string owner, CancellationToken cancellation) =>
        [
            .. (await redis.Run("HGETALL", database => database.HashGetAllAsync(Owner(owner)), cancellation))
                .Select(e => Read((byte[])e.Value!))
                .OrderBy(e => e.CreatedAt)
                .ThenBy(e => e.Id, StringComparer.Ordinal),
        ];

    public async Task<WebhookEndpoint?> Find(string owner, string id, CancellationToken cancellation) =>
        (byte[]?)await redis.Run("HGET", database => database.HashGetAsync(Owner(owner), id), cancellation) is { } json ? Read(json) : null;

    public async Task Add(WebhookEndpoint endpoint, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null)
    {
        var step = await AuditOutbox.Begin(outbox, Slot, audit, cancellation);
        await redis.Evaluate(
            Scripts.Add,
            [Owner(endpoint.Owner), OwnersKey, step.Key],
            [endpoint.Id, Write(endpoint), endpoint.Owner, step.Json],
            cancellation
        );
        await AuditOutbox.Settle(outbox, step);
    }

    public async Task<WebhookEndpoint?> Change(
        string owner,
        string id,
        Func<WebhookEndpoint, WebhookEndpoint> change,
        CancellationToken cancellation,
        EndpointAudit? audit = null
    )
    {
        while (true)
        {
            if ((byte[]?)await redis.Run("HGET", database => database.HashGetAsync(Owner(owner), id), cancellation) is not { } json)
            {
                return null;
            }

            var before = Read(json);
            var changed = change(before);
            var step = await AuditOutbox.Begin(outbox, Slot, audit?.Invoke(before, changed), cancellation);
            if (
                (int)await redis.Evaluate(Scripts.Change, [Owner(owner), step.Key], [id, json, Write(changed), step.Json], cancellation)
                == 1
            )
            {
                await AuditOutbox.Settle(outbox, step);
                return changed;
            }
        }
    }

    public async Task<bool> Delete(string owner, string id, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null)
    {
        var step = await AuditOutbox.Begin(outbox, Slot, audit, cancellation);
        if (
            (int)
                await redis.Evaluate(
                    Scripts.Delete,
                    [Owner(owner), Queue(id), Listing(id), DueKey, FailingKey, step.Key],
                    [id, step.Json],
                    cancellation
                ) != 1
        )
        {
            return false;
        }

        await AuditOutbox.Settle(outbox, step);
        return true;
    }

    public async Task Begin(IReadOnlyCollection<WebhookDelivery> deliveries, DateTimeOffset now, CancellationToken cancellation)
    {
        foreach (var delivery in deliveries)
        {
            await redis.Evaluate(
                Scripts.Begin,
                [Delivery(delivery.Id), Listing(delivery.EndpointId), Queue(delivery.EndpointId), DueKey, Owner(delivery.Owner)],
                [delivery.Id, Write(delivery), now.ToUnixTimeMilliseconds(), (long)Kept.TotalMilliseconds, delivery.EndpointId, Listed],
                cancellation
            );
        }
    }

    public async Task<IReadOnlyList<string>> Due(DateTimeOffset now, int count, CancellationToken cancellation) =>
        [
            .. (
                await redis.Run(
                    "ZRANGEBYSCORE",
                    database => database.SortedSetRangeByScoreAsync(DueKey, stop: now.ToUnixTimeMilliseconds(), take: count),
                    cancellation
                )
            ).Select(e => (string)e!),
        ];

    public async Task<IReadOnlyList<WebhookDelivery>> Claim(
        string endpointId,
        DateTimeOffset now,
        TimeSpan lease,
        int count,
        CancellationToken cancellation
    )
    {
        var until = (now + lease).ToUnixTimeMilliseconds();
        var ids = (RedisResult[])
            (
                await redis.Evaluate(
                    Scripts.Claim,
                    [Queue(endpointId), DueKey],
                    [now.ToUnixTimeMilliseconds(), until, count, endpointId],
                    cancellation
                )
            )!;
        var claimed = await Read([.. ids.Select(i => (string)i!)], cancellation);
        if (claimed.Count < ids.Length)
        {
            var missing = ids.Select(i => (string)i!).Except(claimed.Select(d => d.Id)).ToArray();
            await redis.Evaluate(
                Scripts.Drop,
                [Queue(endpointId), .. missing.Select(Delivery)],
                [.. missing.Select(i => (RedisValue)i)],
                cancellation
            );
        }

        return [.. claimed.Select(d => d with { HeldUntil = DateTimeOffset.FromUnixTimeMilliseconds(until) })];
    }

    public async Task<DateTimeOffset?> Note(WebhookDelivery delivery, bool? succeeded, DateTimeOffset now, CancellationToken cancellation)
    {
        var since = (string?)
            await redis.Evaluate(
                Scripts.Note,
                [Delivery(delivery.Id), Queue(delivery.EndpointId), DueKey, FailingKey],
                [
                    delivery.Id,
                    Write(delivery),
                    (long)Kept.TotalMilliseconds,
                    Score(delivery.NextAttemptAt),
                    delivery.EndpointId,
                    succeeded switch
                    {
                        true => "1",
                        false => "0",
                        null => "",
                    },
                    now.ToUnixTimeMilliseconds(),
                    Score(delivery.HeldUntil),
                ],
                cancellation
            );
        return since is null ? null : DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(since, CultureInfo.InvariantCulture));
    }

    public async Task<bool> Reopen(WebhookDelivery delivery, DateTimeOffset? due, CancellationToken cancellation) =>
        (int)
            await redis.Evaluate(
                Scripts.Reopen,
                [Delivery(delivery.Id), Queue(delivery.EndpointId), DueKey, Owner(delivery.Owner)],
                [
                    delivery.Id,
                    Write(delivery),
                    (long)Kept.TotalMilliseconds,
                    Score(delivery.NextAttemptAt),
                    delivery.EndpointId,
                    Score(due),
                ],
                cancellation
            ) == 1;

    public async Task<WebhookDelivery?> FindDelivery(string id, CancellationToken cancellation) =>
        await Read([id], cancellation) is [var found, ..] ? found : null;

    public async Task<IReadOnlyList<WebhookDelivery>> Deliveries(string endpointId, int skip, int count, CancellationToken cancellation)
    {
        var ids = await redis.Run(
            "ZREVRANGE",
            database => database.SortedSetRangeByRankAsync(Listing(endpointId), skip, skip + count - 1, Order.Descending),
            cancellation
        );
        return await Read([.. ids.Select(i => (string)i!)], cancellation);
    }

    private async Task<IReadOnlyList<WebhookDelivery>> Read(string[] ids, CancellationToken cancellation)
    {
        if (ids.Length == 0)
        {
            return [];
        }

        var records = await redis.Run("GET", database => database.StringGetAsync([.. ids.Select(Delivery)]), cancellation);
        return
        [
            .. records
                .Where(r => r.HasValue)
                .Select(r => JsonSerializer.Deserialize((byte[])r!, WebhookStoreJson.Default.WebhookDelivery)!),
        ];
    }

    private static RedisValue Score(DateTimeOffset? at) => at?.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) ?? "";

    private static RedisKey Owner(string owner) => Prefix + "o:" + owner;

    private static RedisKey Delivery(string id) => Prefix + "d:" + id;

    private static RedisKey Listing(string endpoint) => Prefix + "l:" + endpoint;

    private static RedisKey Queue(string endpoint) => Prefix + "q:" + endpoint;

    private static WebhookEndpoint Read(byte[] json) => JsonSerializer.Deserialize(json, WebhookStoreJson.Default.WebhookEndpoint)!;

    private static byte[] Write(WebhookEndpoint endpoint) =>
        JsonSerializer.SerializeToUtf8Bytes(endpoint, WebhookStoreJson.Default.WebhookEndpoint);

    private static byte[] Write(WebhookDelivery delivery) =>
        JsonSerializer.SerializeToUtf8Bytes(delivery, WebhookStoreJson.Default.WebhookDelivery);
}
