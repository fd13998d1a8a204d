using Bff.Audit;
using Bff.State;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Bff.Tenants;

/// <summary>
/// Stores tenants in Redis. Each kind of host has its own tenants, as it has its own plans and upstreams.
/// <c>bff:{tenants:&lt;host&gt;}:documents</c> holds them by id, <c>:ids</c> their ids in order, <c>:domains</c> the owner of each domain,
/// <c>:plan-changes</c> requests for other plans. Changes are announced on <c>bff:tenants:changed</c>.
/// </summary>
internal sealed class RedisTenantStore : ITenantStore, IDisposable
{
    /// <summary>
    /// KEYS: documents, ids, domains, outbox, plan changes, waiting ones, untold ones. ARGV: id, before, after, domain before, domain
    /// after, channel, note, audit, whether the tenant changes, whether its plan change does, plan change before, plan change after,
    /// whether it waits, its id if the tenant must be notified. Empty means none.
    /// </summary>
    private static readonly RedisScript WriteScript = RedisScript.Durable(
        $$"""
        if ARGV[10] == '1' and (redis.call('HGET', KEYS[5], ARGV[1]) or '') ~= ARGV[11] then return 0 end
        if ARGV[9] == '1' then
          if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
          if ARGV[5] ~= '' then
            local owner = redis.call('HGET', KEYS[3], ARGV[5])
            if owner and owner ~= ARGV[1] then return -1 end
          end
        end
        {{AuditOutbox.Write("KEYS[4]", "ARGV[8]")}}
        if ARGV[10] == '1' then
          if ARGV[14] ~= '' then redis.call('HSET', KEYS[7], ARGV[14], ARGV[12]) end
          if ARGV[13] == '1' then redis.call('ZADD', KEYS[6], 0, ARGV[1]) else redis.call('ZREM', KEYS[6], ARGV[1]) end
          if ARGV[12] == '' then redis.call('HDEL', KEYS[5], ARGV[1]) else redis.call('HSET', KEYS[5], ARGV[1], ARGV[12]) end
        end
        if ARGV[9] ~= '1' then return 1 end
        if ARGV[4] ~= '' then redis.call('HDEL', KEYS[3], ARGV[4]) end
        if ARGV[5] ~= '' then redis.call('HSET', KEYS[3], ARGV[5], ARGV[1]) end
        if ARGV[3] == '' then
          redis.call('ZREM', KEYS[2], ARGV[1])
          redis.call('HDEL', KEYS[1], ARGV[1])
        else
          redis.call('ZADD', KEYS[2], 0, ARGV[1])
          redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
        end
        redis.call('PUBLISH', ARGV[6], ARGV[7])
        return 1
        """
    );

    private readonly string _slot;
    private readonly RedisState _redis;
    private readonly AuditOutbox _audit;
    private readonly AnnouncementFeed _feed;
    private readonly IDisposable _listening;

    public RedisTenantStore(RedisState redis, Announcements announcements, AuditOutbox audit, IHostEnvironment host)
    {
        (_redis, _audit, _slot) = (redis, audit, "tenants:" + host.ApplicationName);
        _feed = announcements.Feed("tenants", "bff:tenants:changed");
        _listening = _feed.Listen(id => Changed?.Invoke(id));
    }

    public event Action<string?>? Changed;

    private RedisKey Documents => Key("documents");

    private RedisKey Ids => Key("ids");

    private RedisKey Domains => Key("domains");

    private RedisKey Plans => Key("plan-changes");

    private RedisKey Waiting => Key("plan-changes:waiting");

    private RedisKey UntoldOnes => Key("plan-changes:untold");

    public bool IsKnownAway => _redis.IsKnownAway;

    public async ValueTask<byte[]?> Find(string id, CancellationToken cancellation) =>
        await _redis.Run("HGET", database => database.HashGetAsync(Documents, id), cancellation);

    public async ValueTask<(string? Owner, bool Any)> FindByDomain(string domain, CancellationToken cancellation)
    {
        var (owner, count) = await _redis.Run(
            "PIPELINE HGET",
            async database =>
            {
                var owner = database.HashGetAsync(Domains, domain);
                var count = database.HashLengthAsync(Domains);
                await Task.WhenAll(owner, count);
                return (owner.Result, count.Result);
            },
            cancellation
        );
        return ((string?)owner, count > 0);
    }

    public ValueTask<IReadOnlyList<KeyValuePair<string, byte[]>>> List(string? after, int count, CancellationToken cancellation) =>
        Range(Ids, Documents, after, count, cancellation);

    public async ValueTask<TenantWrite> Write(TenantChange change, CancellationToken cancellation)
    {
        var audit = await _audit.Begin(_slot, change.Audit, cancellation);
        var note = change.IsOfPlanAlone ? "" : await _feed.Note(change.Id, cancellation);
        var plan = change.Plan;
        var written = (int)
            await _redis.Evaluate(
                WriteScript,
                [Documents, Ids, Domains, audit.Key, Plans, Waiting, UntoldOnes],
                [
                    change.Id,
                    change.Before ?? [],
                    change.After ?? [],
                    change.DomainBefore ?? "",
                    change.DomainAfter ?? "",
                    _feed.Channel,
                    note,
                    audit.Json,
                    Flag(!change.IsOfPlanAlone),
                    Flag(plan is not null),
                    plan?.Before?.Write() ?? [],
                    plan?.After?.Write() ?? [],
                    Flag(plan?.After is { Status: PlanChangeStatus.Pending }),
                    plan is { IsChange: true, After: { } told } ? told.Id : "",
                ],
                cancellation
            );
        if (written != 1)
        {
            return written == 0 ? TenantWrite.Stale : TenantWrite.DomainTaken;
        }

        await _audit.Settle(audit);
        return TenantWrite.Done;
    }

    public async ValueTask<PlanChange?> FindPlanChange(string id, CancellationToken cancellation) =>
        (byte[]?)await _redis.Run("HGET", database => database.HashGetAsync(Plans, id), cancellation) is { } json
            ? PlanChange.Read(json)
            : null;

    public async ValueTask<IReadOnlyList<PlanChange>> ListPlanChanges(string? after, int count, CancellationToken cancellation) =>
        [
            .. (await Range(Waiting, Plans, after, count, cancellation))
                .Select(p => PlanChange.Read(p.Value))
                .Where(p => p.Status == PlanChangeStatus.Pending),
        ];

    public async ValueTask<IReadOnlyList<PlanChange>> Untold(CancellationToken cancellation) =>
        [
            .. (await _redis.Run("HGETALL", database => database.HashGetAllAsync(UntoldOnes), cancellation)).Select(p =>
                PlanChange.Read((byte[])p.Value!)
            ),
        ];

    public async ValueTask Told(PlanChange change, CancellationToken cancellation) =>
        await _redis.Run("HDEL", database => database.HashDeleteAsync(UntoldOnes, change.Id), cancellation);

    public void Dispose() => _listening.Dispose();

    private async ValueTask<IReadOnlyList<KeyValuePair<string, byte[]>>> Range(
        RedisKey order,
        RedisKey values,
        string? after,
        int count,
        CancellationToken cancellation
    )
    {
        object[] range = [order, after is null ? "-" : "(" + after, "+", "LIMIT", 0, count];
        var ids = (string[])(await _redis.Run("ZRANGEBYLEX", database => database.ExecuteAsync("ZRANGEBYLEX", range), cancellation))!;
        if (ids.Length == 0)
        {
            return [];
        }

        var documents = await _redis.Run(
            "HMGET",
            database => database.HashGetAsync(values, Array.ConvertAll(ids, id => (RedisValue)id)),
            cancellation
        );
        return [.. ids.Zip(documents, (id, json) => KeyValuePair.Create(id, (byte[])json!)).Where(t => t.Value is not null)];
    }

    private RedisKey Key(string name) => $"bff:{{{_slot}}}:{name}";

    private static string Flag(bool value) => value ? "1" : "0";
}
