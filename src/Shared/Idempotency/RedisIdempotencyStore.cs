using Bff.State;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Bff.Idempotency;

/// <summary>
/// Stores keys in Redis: one hash per key, <c>bff:idem:&lt;hash&gt;</c>, with the fields f (fingerprint), o (owner), u (end of the lock, ms
/// on the server's clock), g (fencing token of the owner), b (bound: the service may have seen the request) and a (the answer). Every step
/// is one script.
/// </summary>
internal sealed class RedisIdempotencyStore(RedisState redis, IOptions<IdempotencyOptions> options) : IIdempotencyStore
{
    // ARGV: fingerprint, owner, lease ms, retention ms, fencing token of the whole or 0.
    private static readonly RedisScript ClaimScript = RedisScript.Durable(
        """
        local t = redis.call('TIME')
        local now = t[1] * 1000 + math.floor(t[2] / 1000)
        local r = redis.call('HMGET', KEYS[1], 'f', 'a', 'o', 'u', 'g')
        local fence, last = tonumber(ARGV[5]), tonumber(r[5] or 0)
        if r[1] then
          if r[1] ~= ARGV[1] then return {2} end
          if r[2] then return {3, r[2]} end
          if r[3] then
            local latest = now + ARGV[3]
            if tonumber(r[4]) > latest then
              redis.call('HSET', KEYS[1], 'u', string.format('%.0f', latest)) -- The clock went back; who lives renews it.
            end
            if tonumber(r[4]) > now and fence <= last then return {1} end
            redis.call('HSET', KEYS[1], 'b', '1')
          end
        end
        if fence == 0 then fence = last + 1 end
        redis.call('HSET', KEYS[1], 'f', ARGV[1], 'o', ARGV[2], 'u', string.format('%.0f', now + ARGV[3]), 'g', fence)
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
        return {0, fence}
        """
    );

    private static readonly RedisScript RenewScript = new(
        """
        if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 0 end
        local t = redis.call('TIME')
        redis.call('HSET', KEYS[1], 'u', string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[2]))
        return 1
        """
    );

    // ARGV: owner, answer, retention ms, fingerprint.
    private static readonly RedisScript CompleteScript = RedisScript.Durable(
        """
        local r = redis.call('HMGET', KEYS[1], 'o', 'a', 'f')
        if r[2] then return r[3] == ARGV[4] and r[2] end
        if r[1] ~= ARGV[1] then return false end
        redis.call('HSET', KEYS[1], 'a', ARGV[2])
        redis.call('HDEL', KEYS[1], 'o', 'u', 'b')
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
        return false
        """
    );

    private static readonly RedisScript ReleaseScript = new(
        """
        local r = redis.call('HMGET', KEYS[1], 'o', 'b')
        if r[1] ~= ARGV[1] then return 0 end
        if ARGV[2] == '0' and not r[2] then return redis.call('DEL', KEYS[1]) end
        redis.call('HSET', KEYS[1], 'b', '1') -- First: a key that is free and not bound could become another request's.
        redis.call('HDEL', KEYS[1], 'o', 'u')
        return 1
        """
    );

    private long LeaseMilliseconds => (long)options.Value.Lease.TotalMilliseconds;

    private long RetentionMilliseconds => (long)options.Value.Retention.TotalMilliseconds;

    public async ValueTask<IdempotencyClaim> Claim(
        string key,
        string fingerprint,
        string owner,
        long fencingToken,
        CancellationToken cancellation
    )
    {
        var result = (RedisResult[])
            (
                await Take(
                    key,
                    owner,
                    ClaimScript,
                    [fingerprint, owner, LeaseMilliseconds, RetentionMilliseconds, fencingToken],
                    cancellation
                )
            )!;
        return (int)result[0] switch
        {
            0 => new(ClaimOutcome.Taken, FencingToken: (long)result[1]),
            1 => new(ClaimOutcome.InFlight),
            2 => new(ClaimOutcome.Mismatch),
            _ => new(ClaimOutcome.Answered, StoredAnswer.Deserialize((byte[])result[1]!)),
        };
    }

    public async ValueTask<bool> Renew(string key, string owner, CancellationToken cancellation) =>
        (int)await redis.Evaluate(RenewScript, [Key(key)], [owner, LeaseMilliseconds], cancellation) == 1;

    public async ValueTask<StoredAnswer?> Complete(
        string key,
        string fingerprint,
        string owner,
        StoredAnswer answer,
        CancellationToken cancellation
    )
    {
        var other = await redis.Evaluate(
            CompleteScript,
            [Key(key)],
            [owner, answer.Serialize(), RetentionMilliseconds, fingerprint],
            cancellation
        );
        return other.IsNull ? null : StoredAnswer.Deserialize((byte[])other!);
    }

    public async ValueTask Release(string key, string owner, bool keepFingerprint, CancellationToken cancellation)
    {
        try
        {
            await GiveBack(key, owner, keepFingerprint, cancellation);
        }
        catch (StoreUnavailableException)
        {
            redis.GiveBack(() => GiveBack(key, owner, keepFingerprint, CancellationToken.None));
            throw;
        }
    }

    private async Task<RedisResult> Take(string key, string owner, RedisScript script, RedisValue[] values, CancellationToken cancellation)
    {
        try
        {
            return await redis.Evaluate(script, [Key(key)], values, cancellation);
        }
        catch (StoreException)
        {
            // The key may have been taken, or may still be taken, or Redis refused a later command of the script. Nothing was sent to the
            // service.
            redis.GiveBack(() => GiveBack(key, owner, keepFingerprint: false, CancellationToken.None));
            throw;
        }
    }

    private async Task<bool> GiveBack(string key, string owner, bool keepFingerprint, CancellationToken cancellation) =>
        (long)await redis.Evaluate(ReleaseScript, [Key(key)], [owner, keepFingerprint ? "1" : "0"], cancellation) == 1;

    private static RedisKey Key(string key) => "bff:idem:" + key;
}
