using Bff.State;

namespace Bff.RateLimiting;

/// <summary>
/// Registers the instances that take leases in a hash of name → milliseconds (the server's clock) at which the instance last registered.
/// </summary>
internal static class LeaseRotationScript
{
    /// <summary>KEYS: the hash. ARGV: the instance's name. Returns how many names sort before it, and how many there are.</summary>
    public static readonly RedisScript Join = new(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now))
        redis.call('PEXPIRE', KEYS[1], 3000)
        local seen = redis.call('HGETALL', KEYS[1])
        local before, all = 0, 0
        for i = 1, #seen, 2 do
          if math.abs(now - seen[i + 1]) > 3000 then -- Ahead of the clock: it has gone back, and who is alive says so again within a second.
            redis.call('HDEL', KEYS[1], seen[i])
          else
            all = all + 1
            if seen[i] < ARGV[1] then before = before + 1 end
          end
        end
        return { before, all }
        """
    );
}
