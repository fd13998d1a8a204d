using Bff.State;

namespace Bff.RateLimiting;

/// <summary>
/// The token buckets in Redis. Each is a hash: <c>n</c> units left at <c>t</c> (microseconds), <c>u</c> tokens used on UTC day <c>d</c>.
/// All numbers are whole and below 2^53, so Lua's arithmetic is exact. The clock is the server's, so instances need not agree on the time.
/// </summary>
internal static class TokenBucketScript
{
    /// <summary>
    /// Decides requests one after the other. KEYS: for each request its buckets, then its overage counter. ARGV: for each request the
    /// number of its buckets, then for each bucket capacity, rate, quota, ceiling, need, want, back, day of back. Returns the clock, then
    /// for each request whether it is admitted, followed for each bucket by the tokens taken, the units left and the tokens used on the
    /// day. If Redis gave an error for a request, the error takes the place of these values: a bucket that cannot be read or written fails
    /// only its own request.
    /// </summary>
    public static readonly RedisScript Take = new(
        """
        local time = redis.call('TIME')
        local clock = time[1] * 1000000 + time[2]
        local function decide(first, count, at)
          local levels, admitted, overage = {}, 1, KEYS[first + count]
          for i = 1, count do
            local p = at + (i - 1) * 8
            local l = { key = KEYS[first + i - 1], cap = ARGV[p + 1] * 60000000, rate = tonumber(ARGV[p + 2]), quota = tonumber(ARGV[p + 3]),
                        ceiling = tonumber(ARGV[p + 4]), need = tonumber(ARGV[p + 5]), want = tonumber(ARGV[p + 6]), back = tonumber(ARGV[p + 7]) }
            local s = redis.call('HMGET', l.key, 'n', 't', 'd', 'u')
            local n, t = tonumber(s[1] or l.cap), tonumber(s[2] or clock)
            l.stepped = t > clock -- After a failover the clock may be behind: that gives nothing, and from here on time passes as always.
            if l.stepped then t = clock end
            l.day = math.floor(clock / 86400000000)
            l.u = tonumber(s[3] or 0) >= l.day and tonumber(s[4] or 0) or 0 -- A later day's use counts for today: going back gives no new quota.
            l.u0 = l.u
            local gain = (clock - t) * l.rate
            if n + gain > l.cap then n = l.cap else n = n + gain end
            if l.back > 0 then
              n = math.min(l.cap, n + l.back * 60000000)
              if tonumber(ARGV[p + 8]) >= l.day then l.u = math.max(0, l.u - l.back) end
            end
            l.n = n
            l.left = math.floor(n / 60000000)
            if l.ceiling >= 0 then l.left = math.min(l.left, l.ceiling - l.u) end
            if l.left < l.need then admitted = 0 end
            levels[i] = l
          end
          local answer = { admitted }
          for i, l in ipairs(levels) do
            local take = 0
            if admitted == 1 then take = math.max(0, math.min(l.want, l.left)) end
            l.n = l.n - take * 60000000
            if l.quota >= 0 then l.u = l.u + take end
            if take > 0 or l.back > 0 or l.stepped then
              local life = math.ceil((l.cap - l.n) / l.rate / 1000) + 1000
              if l.quota >= 0 then
                redis.call('HSET', l.key, 'n', string.format('%.0f', l.n), 't', string.format('%.0f', clock), 'd', l.day, 'u', l.u)
                life = math.max(life, math.ceil(((l.day + 1) * 86400000000 - clock) / 1000) + 60000)
                local over = math.max(0, l.u - l.quota) - math.max(0, l.u0 - l.quota)
                if over ~= 0 then
                  redis.call('HINCRBY', overage, l.day, over)
                  redis.call('EXPIRE', overage, 8035200)
                end
              else
                redis.call('HSET', l.key, 'n', string.format('%.0f', l.n), 't', string.format('%.0f', clock))
              end
              redis.call('PEXPIRE', l.key, string.format('%.0f', life))
            end
            answer[#answer + 1] = take
            answer[#answer + 1] = l.n
            answer[#answer + 1] = l.u
          end
          return answer
        end
        local answers, first, at = { clock }, 1, 1
        while at <= #ARGV do
          local count = tonumber(ARGV[at])
          local done, answer = pcall(decide, first, count, at)
          if done then
            for i = 1, #answer do answers[#answers + 1] = answer[i] end
          else
            local error = type(answer) == 'table' and answer.err or tostring(answer)
            answers[#answers + 1] = string.gsub(error, '^@user_script:%s*%d+:%s*%-?', '')
          end
          first, at = first + count + 1, at + 1 + count * 8
        end
        return answers
        """
    );
}
