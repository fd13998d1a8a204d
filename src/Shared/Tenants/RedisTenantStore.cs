using Bff.Audit;
using Bff.State;
using StackExchange.Redis;

namespace Bff.Tenants;

/// <summary>
/// <c>bff:{tenants}:documents</c> holds the tenants by id, <c>bff:{tenants}:ids</c> their ids in order, <c>bff:{tenants}:domains</c> whose each domain is; changes
/// are announced on <c>bff:tenants:changed</c>.
/// </summary>
internal sealed class RedisTenantStore : ITenantStore, IDisposable
{
    internal const string Slot = "tenants";
    private static readonly RedisKey Documents = "bff:{tenants}:documents";
    private static readonly RedisKey Ids = "bff:{tenants}:ids";
    private static readonly RedisKey Domains = "bff:{tenants}:domains";

    /// <summary>KEYS: documents, ids, domains, outbox. ARGV: id, before, after, domain before, domain after, channel, note, audit. Empty is none.</summary>
    private static readonly RedisScript WriteScript = new($$"""
        if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
        if ARGV[5] ~= '' then
          local owner = redis.call('HGET', KEYS[3], ARGV[5])
          if owner and owner ~= ARGV[1] then return -1 end
        end
        {{AuditOutbox.Write("KEYS[4]", "ARGV[8]")}}
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
        """);

    private readonly RedisState _redis;
    private readonly AuditOutbox _audit;
    private readonly AnnouncementFeed _feed;
    private readonly IDisposable _listening;

    public RedisTenantStore(RedisState redis, Announcements announcements, AuditOutbox audit)
    {
        (_redis, _audit) = (redis, audit);
        _feed = announcements.Feed("tenants", "bff:tenants:changed");
        _listening = _feed.Listen(id => Changed?.Invoke(id));
    }

    public event Action<string?>? Changed;

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
            cancellation);
        return ((string?)owner, count > 0);
    }

    public async ValueTask<IReadOnlyList<KeyValuePair<string, byte[]>>> List(string? after, int count, CancellationToken cancellation)
    {
        object[] range = [Ids, after is null ? "-" : "(" + after, "+", "LIMIT", 0, count];
        var ids = (string[])(await _redis.Run("ZRANGEBYLEX", database => database.ExecuteAsync("ZRANGEBYLEX", range), cancellation))!;
        if (ids.Length == 0)
        {
            return [];
        }

        var documents = await _redis.Run("HMGET", database => database.HashGetAsync(Documents, Array.ConvertAll(ids, id => (RedisValue)id)), cancellation);
        return [.. ids.Zip(documents, (id, json) => KeyValuePair.Create(id, (byte[])json!)).Where(t => t.Value is not null)];
    }

    public async ValueTask<TenantWrite> Write(TenantChange change, CancellationToken cancellation)
    {
        var audit = await _audit.Begin(Slot, change.Audit, cancellation);
        var written = (int)await _redis.Evaluate(
            WriteScript, [Documents, Ids, Domains, audit.Key],
            [
                change.Id, change.Before ?? [], change.After ?? [], change.DomainBefore ?? "", change.DomainAfter ?? "", _feed.Channel,
                await _feed.Note(change.Id, cancellation), audit.Json,
            ],
            cancellation);
        if (written != 1)
        {
            return written == 0 ? TenantWrite.Stale : TenantWrite.DomainTaken;
        }

        await _audit.Settle(audit);
        return TenantWrite.Done;
    }

    public void Dispose() => _listening.Dispose();
}
