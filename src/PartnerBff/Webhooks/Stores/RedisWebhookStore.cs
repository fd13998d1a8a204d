using System.Globalization;
using System.Text.Json;
using Bff.State;
using StackExchange.Redis;

namespace PartnerBff.Webhooks.Stores;

/// <summary>
/// Keys share one hash tag: <c>o:&lt;owner&gt;</c> hash of endpoints, <c>d:&lt;id&gt;</c> a delivery, <c>l:&lt;endpoint&gt;</c> its deliveries by age,
/// <c>q:&lt;endpoint&gt;</c> its unfinished ones by when they are due, <c>due</c> the endpoints by when their first one is, <c>failing</c> since when.
/// </summary>
internal sealed class RedisWebhookStore(RedisState redis) : IWebhookStore
{
    private const string Prefix = "bff:webhooks:{webhooks}:";
    private const int Listed = 10_000;
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);
    private static readonly RedisKey OwnersKey = Prefix + "owners";
    private static readonly RedisKey DueKey = Prefix + "due";
    private static readonly RedisKey FailingKey = Prefix + "failing";

    private static readonly RedisScript ChangeScript = new("""
        if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
        return 1
        """);

    private static readonly RedisScript AddScript = new("""
        redis.call('SADD', KEYS[2], ARGV[3])
        return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        """);

    // KEYS: o, q, l, due, failing. ARGV: endpoint. The first line is the check of the owner.
    private static readonly RedisScript DeleteScript = new("""
        if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
        redis.call('DEL', KEYS[2], KEYS[3])
        redis.call('ZREM', KEYS[4], ARGV[1])
        redis.call('HDEL', KEYS[5], ARGV[1])
        return 1
        """);

    // KEYS: d, l, q, due, o. ARGV: id, record, now, kept ms, endpoint, listed.
    private static readonly RedisScript BeginScript = new("""
        if redis.call('HEXISTS', KEYS[5], ARGV[5]) == 0 then return 0 end
        if not redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4], 'NX') then return 0 end
        redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
        redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[6])
        redis.call('PEXPIRE', KEYS[2], ARGV[4])
        redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
        redis.call('PEXPIRE', KEYS[3], ARGV[4])
        redis.call('ZADD', KEYS[4], 'LT', ARGV[3], ARGV[5])
        return 1
        """);

    // KEYS: q, due. ARGV: now, end of the lease, count, endpoint.
    private static readonly RedisScript ClaimScript = new("""
        local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
        for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], ARGV[2], id) end
        local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
        if not first[1] then
          redis.call('ZREM', KEYS[2], ARGV[4])
        else
          redis.call('ZADD', KEYS[2], math.max(tonumber(first[2]), tonumber(ARGV[1])), ARGV[4])
        end
        return ids
        """);

    // KEYS: d, q, due, failing. ARGV: id, record, kept ms, next or empty, endpoint, 1, 0 or empty, now, end of the claim.
    // Claims of one delivery follow each other, so no two end at the same time: the end says whose claim it is.
    private static readonly RedisScript NoteScript = new("""
        if tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or -1) ~= tonumber(ARGV[8]) then return false end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        if ARGV[4] == '' then redis.call('ZREM', KEYS[2], ARGV[1])
        else
          redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
          redis.call('PEXPIRE', KEYS[2], ARGV[3])
        end
        local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
        if first[1] then redis.call('ZADD', KEYS[3], first[2], ARGV[5]) else redis.call('ZREM', KEYS[3], ARGV[5]) end
        if ARGV[6] == '1' then redis.call('HDEL', KEYS[4], ARGV[5]) end
        if ARGV[6] == '0' then redis.call('HSETNX', KEYS[4], ARGV[5], ARGV[7]) end
        return redis.call('HGET', KEYS[4], ARGV[5])
        """);

    // KEYS: d, q, due, o. ARGV: id, record, kept ms, next, endpoint, when it was due or empty.
    private static readonly RedisScript ReopenScript = new("""
        if redis.call('HEXISTS', KEYS[4], ARGV[5]) == 0 then return 0 end
        if tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or -1) ~= (tonumber(ARGV[6]) or -1) then return 0 end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
        redis.call('PEXPIRE', KEYS[2], ARGV[3])
        redis.call('ZADD', KEYS[3], 'LT', ARGV[4], ARGV[5])
        return 1
        """);

    public async Task<IReadOnlyList<string>> Owners(CancellationToken cancellation) =>
        [.. (await redis.Run("SMEMBERS", database => database.SetMembersAsync(OwnersKey), cancellation)).Select(o => (string)o!)];

    public async Task<IReadOnlyList<WebhookEndpoint>> List(string owner, CancellationToken cancellation) =>
        [.. (await redis.Run("HGETALL", database => database.HashGetAllAsync(Owner(owner)), cancellation))
            .Select(e => Read((byte[])e.Value!)).OrderBy(e => e.CreatedAt).ThenBy(e => e.Id, StringComparer.Ordinal)];

    public async Task<WebhookEndpoint?> Find(string owner, string id, CancellationToken cancellation) =>
        (byte[]?)await redis.Run("HGET", database => database.HashGetAsync(Owner(owner), id), cancellation) is { } json ? Read(json) : null;

    public Task Add(WebhookEndpoint endpoint, CancellationToken cancellation) =>
        redis.Evaluate(AddScript, [Owner(endpoint.Owner), OwnersKey], [endpoint.Id, Write(endpoint), endpoint.Owner], cancellation);

    public async Task<WebhookEndpoint?> Change(string owner, string id, Func<WebhookEndpoint, WebhookEndpoint> change, CancellationToken cancellation)
    {
        while (true)
        {
            if ((byte[]?)await redis.Run("HGET", database => database.HashGetAsync(Owner(owner), id), cancellation) is not { } json)
            {
                return null;
            }

            var changed = change(Read(json));
            if ((int)await redis.Evaluate(ChangeScript, [Owner(owner)], [id, json, Write(changed)], cancellation) == 1)
            {
                return changed;
            }
        }
    }

    public async Task<bool> Delete(string owner, string id, CancellationToken cancellation) =>
        (int)await redis.Evaluate(DeleteScript, [Owner(owner), Queue(id), Listing(id), DueKey, FailingKey], [id], cancellation) == 1;

    public async Task Begin(IReadOnlyCollection<WebhookDelivery> deliveries, DateTimeOffset now, CancellationToken cancellation)
    {
        foreach (var delivery in deliveries)
        {
            await redis.Evaluate(
                BeginScript,
                [Delivery(delivery.Id), Listing(delivery.EndpointId), Queue(delivery.EndpointId), DueKey, Owner(delivery.Owner)],
                [delivery.Id, Write(delivery), now.ToUnixTimeMilliseconds(), (long)Kept.TotalMilliseconds, delivery.EndpointId, Listed],
                cancellation);
        }
    }

    public async Task<IReadOnlyList<string>> Due(DateTimeOffset now, int count, CancellationToken cancellation) =>
        [.. (await redis.Run("ZRANGEBYSCORE", database => database.SortedSetRangeByScoreAsync(DueKey, stop: now.ToUnixTimeMilliseconds(), take: count), cancellation)).Select(e => (string)e!)];

    public async Task<IReadOnlyList<WebhookDelivery>> Claim(string endpointId, DateTimeOffset now, TimeSpan lease, int count, CancellationToken cancellation)
    {
        var until = (now + lease).ToUnixTimeMilliseconds();
        var ids = (RedisResult[])(await redis.Evaluate(
            ClaimScript, [Queue(endpointId), DueKey], [now.ToUnixTimeMilliseconds(), until, count, endpointId], cancellation))!;
        var claimed = await Read([.. ids.Select(i => (string)i!)], cancellation);
        return [.. claimed.Select(d => d with { HeldUntil = DateTimeOffset.FromUnixTimeMilliseconds(until) })];
    }

    public async Task<DateTimeOffset?> Note(WebhookDelivery delivery, bool? succeeded, DateTimeOffset now, CancellationToken cancellation)
    {
        var since = (string?)await redis.Evaluate(
            NoteScript,
            [Delivery(delivery.Id), Queue(delivery.EndpointId), DueKey, FailingKey],
            [
                delivery.Id, Write(delivery), (long)Kept.TotalMilliseconds, Score(delivery.NextAttemptAt), delivery.EndpointId,
                succeeded switch { true => "1", false => "0", null => "" }, now.ToUnixTimeMilliseconds(), Score(delivery.HeldUntil),
            ],
            cancellation);
        return since is null ? null : DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(since, CultureInfo.InvariantCulture));
    }

    public async Task<bool> Reopen(WebhookDelivery delivery, DateTimeOffset? due, CancellationToken cancellation) =>
        (int)await redis.Evaluate(
            ReopenScript,
            [Delivery(delivery.Id), Queue(delivery.EndpointId), DueKey, Owner(delivery.Owner)],
            [delivery.Id, Write(delivery), (long)Kept.TotalMilliseconds, Score(delivery.NextAttemptAt), delivery.EndpointId, Score(due)],
            cancellation) == 1;

    public async Task<WebhookDelivery?> FindDelivery(string id, CancellationToken cancellation) => await Read([id], cancellation) is [var found, ..] ? found : null;

    public async Task<IReadOnlyList<WebhookDelivery>> Deliveries(string endpointId, int skip, int count, CancellationToken cancellation)
    {
        var ids = await redis.Run(
            "ZREVRANGE",
            database => database.SortedSetRangeByRankAsync(Listing(endpointId), skip, skip + count - 1, Order.Descending), cancellation);
        return await Read([.. ids.Select(i => (string)i!)], cancellation);
    }

    private async Task<IReadOnlyList<WebhookDelivery>> Read(string[] ids, CancellationToken cancellation)
    {
        if (ids.Length == 0)
        {
            return [];
        }

        var records = await redis.Run("GET", database => database.StringGetAsync([.. ids.Select(Delivery)]), cancellation);
        return [.. records.Where(r => r.HasValue).Select(r => JsonSerializer.Deserialize((byte[])r!, WebhookStoreJson.Default.WebhookDelivery)!)];
    }

    private static RedisValue Score(DateTimeOffset? at) => at?.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) ?? "";

    private static RedisKey Owner(string owner) => Prefix + "o:" + owner;

    private static RedisKey Delivery(string id) => Prefix + "d:" + id;

    private static RedisKey Listing(string endpoint) => Prefix + "l:" + endpoint;

    private static RedisKey Queue(string endpoint) => Prefix + "q:" + endpoint;

    private static WebhookEndpoint Read(byte[] json) => JsonSerializer.Deserialize(json, WebhookStoreJson.Default.WebhookEndpoint)!;

    private static byte[] Write(WebhookEndpoint endpoint) => JsonSerializer.SerializeToUtf8Bytes(endpoint, WebhookStoreJson.Default.WebhookEndpoint);

    private static byte[] Write(WebhookDelivery delivery) => JsonSerializer.SerializeToUtf8Bytes(delivery, WebhookStoreJson.Default.WebhookDelivery);
}
