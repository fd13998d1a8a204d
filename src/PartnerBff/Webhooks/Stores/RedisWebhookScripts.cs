using Bff.Audit;
using Bff.State;

namespace PartnerBff.Webhooks.Stores;

/// <summary>
/// The scripts of the store, one for every step. The names of the keys are those of <see cref="RedisWebhookStore"/>. Redis does not roll
/// back a script that fails in the middle, so each writes last what prevents a repeat.
/// </summary>
internal static class RedisWebhookScripts
{
    /// <summary>KEYS: o, outbox. ARGV: endpoint, before, after, audit.</summary>
    public static readonly RedisScript Change = RedisScript.Durable(
        $"""
        if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
        {AuditOutbox.Write("KEYS[2]", "ARGV[4]")}
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
        return 1
        """
    );

    /// <summary>KEYS: o, owners, outbox. ARGV: endpoint, record, owner, audit.</summary>
    public static readonly RedisScript Add = RedisScript.Durable(
        $"""
        {AuditOutbox.Write("KEYS[3]", "ARGV[4]")}
        redis.call('SADD', KEYS[2], ARGV[3])
        return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        """
    );

    /// <summary>KEYS: o, q, l, due, failing, outbox. ARGV: endpoint, audit. The first line checks the owner.</summary>
    public static readonly RedisScript Delete = RedisScript.Durable(
        $"""
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
        {AuditOutbox.Write("KEYS[6]", "ARGV[2]")}
        redis.call('DEL', KEYS[2], KEYS[3])
        redis.call('ZREM', KEYS[4], ARGV[1])
        redis.call('HDEL', KEYS[5], ARGV[1])
        return redis.call('HDEL', KEYS[1], ARGV[1])
        """
    );

    /// <summary>KEYS: d, l, q, due, o. ARGV: id, record, now, kept ms, endpoint, listed.</summary>
    public static readonly RedisScript Begin = RedisScript.Durable(
        """
        if redis.call('HEXISTS', KEYS[5], ARGV[5]) == 0 or redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
        redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
        redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[6])
        redis.call('PEXPIRE', KEYS[2], ARGV[4])
        redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
        redis.call('PEXPIRE', KEYS[3], ARGV[4])
        redis.call('ZADD', KEYS[4], 'LT', ARGV[3], ARGV[5])
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
        return 1
        """
    );

    /// <summary>KEYS: q, due. ARGV: now, end of the lease, count, endpoint.</summary>
    public static readonly RedisScript Claim = new(
        """
        local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
        for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], ARGV[2], id) end
        local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
        if not first[1] then
          redis.call('ZREM', KEYS[2], ARGV[4])
        else
          redis.call('ZADD', KEYS[2], math.max(tonumber(first[2]), tonumber(ARGV[1])), ARGV[4])
        end
        return ids
        """
    );

    /// <summary>
    /// KEYS: q, d of each. ARGV: id of each. Removes queue entries without a record: either half started, and to be started again, or too
    /// old.
    /// </summary>
    public static readonly RedisScript Drop = new(
        """
        for i, id in ipairs(ARGV) do
          if redis.call('EXISTS', KEYS[i + 1]) == 0 then redis.call('ZREM', KEYS[1], id) end
        end
        return 1
        """
    );

    /// <summary>
    /// KEYS: d, q, due, failing. ARGV: id, record, kept ms, next or empty, endpoint, 1, 0 or empty, now, end of the claim. Claims of one
    /// delivery follow each other, so no two end at the same time, and the end identifies a claim.
    /// </summary>
    public static readonly RedisScript Note = new(
        """
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
        """
    );

    /// <summary>KEYS: d, q, due, o. ARGV: id, record, kept ms, next, endpoint, when it was due or empty.</summary>
    public static readonly RedisScript Reopen = RedisScript.Durable(
        """
        if redis.call('HEXISTS', KEYS[4], ARGV[5]) == 0 then return 0 end
        if tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or -1) ~= (tonumber(ARGV[6]) or -1) then return 0 end
        redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
        redis.call('PEXPIRE', KEYS[2], ARGV[3])
        redis.call('ZADD', KEYS[3], 'LT', ARGV[4], ARGV[5])
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        return 1
        """
    );
}
