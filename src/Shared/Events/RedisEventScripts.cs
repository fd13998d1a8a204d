using Bff.State;

namespace Bff.Events;

/// <summary>Every step of the log is one script, on the server's clock.</summary>
internal static class RedisEventScripts
{
    /// <summary>
    /// KEYS: log, number, epoch, watched, queue, then seen, tenant, user of each event (the log's where there is none).
    /// ARGV: retention ms, length, most that may wait, channel, then tenant, user, head, data of each event.
    /// Returns -1 when too much waits, else how many were new.
    /// </summary>
    public static readonly RedisScript Append = new("""
        local t = redis.call('TIME')
        local now = t[1] * 1000 + math.floor(t[2] / 1000)
        local kept, length = tonumber(ARGV[1]), tonumber(ARGV[2])
        if redis.call('XLEN', KEYS[5]) + (#KEYS - 5) / 3 > tonumber(ARGV[3]) then return -1 end
        local cutoff = string.format('%.0f', now - kept)
        local function keep(key, id, head, data)
          redis.call('XADD', key, 'MAXLEN', '=', length + 1, id, 'e', head, 'd', data)
          redis.call('XTRIM', key, 'MINID', '~', cutoff)
          redis.call('PEXPIRE', key, kept)
        end
        local taken = 0
        for i = 0, (#KEYS - 5) / 3 - 1 do
          local k, a = 6 + i * 3, 5 + i * 4
          if redis.call('SET', KEYS[k], '1', 'EX', 86400, 'NX') then
            taken = taken + 1
            local number = redis.call('INCR', KEYS[2])
            local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', length, '*', 'e', ARGV[a + 2], 'd', ARGV[a + 3], 'n', number)
            if ARGV[a] ~= '' then
              keep(KEYS[k + 1], id, ARGV[a + 2], ARGV[a + 3])
              if redis.call('SISMEMBER', KEYS[4], ARGV[a]) == 1 then
                redis.call('XADD', KEYS[5], id, 'e', ARGV[a + 2], 'd', ARGV[a + 3])
              end
            end
            if ARGV[a + 1] ~= '' then keep(KEYS[k + 2], id, ARGV[a + 2], ARGV[a + 3]) end
          end
        end
        if taken > 0 then
          redis.call('XTRIM', KEYS[1], 'MINID', '~', cutoff)
          redis.call('SET', KEYS[3], string.format('%.0f', now - 1), 'NX')
          redis.call('PEXPIRE', KEYS[1], 2 * kept)
          redis.call('PEXPIRE', KEYS[2], 3 * kept)
          redis.call('PEXPIRE', KEYS[3], 3 * kept)
          redis.call('PUBLISH', ARGV[4], '')
        end
        return taken
        """);

    /// <summary>KEYS: log, number, epoch. ARGV: retention ms. Returns { id, number }.</summary>
    public static readonly RedisScript End = new("""
        local t = redis.call('TIME')
        local now = t[1] * 1000 + math.floor(t[2] / 1000) - 1
        redis.call('SET', KEYS[3], string.format('%.0f', now), 'NX')
        redis.call('PEXPIRE', KEYS[3], 3 * ARGV[1])
        local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
        local id = string.format('%.0f-0', now)
        if last and tonumber(string.match(last[1], '%d+')) >= now then id = last[1] end
        return { id, redis.call('GET', KEYS[2]) or '0' }
        """);

    /// <summary>KEYS: stream, epoch. ARGV: after, its ms, count, retention ms, length. Returns { complete, entries }.</summary>
    public static readonly RedisScript Read = new("""
        local t = redis.call('TIME')
        local now = t[1] * 1000 + math.floor(t[2] / 1000)
        local epoch = redis.call('GET', KEYS[2])
        local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[3])
        local complete = 0
        if epoch and tonumber(epoch) <= tonumber(ARGV[2]) and now - tonumber(ARGV[2]) < tonumber(ARGV[4]) then
          complete = 1
          if redis.call('XLEN', KEYS[1]) > tonumber(ARGV[5]) and #redis.call('XRANGE', KEYS[1], '-', ARGV[1], 'COUNT', 1) == 0 then complete = 0 end
        end
        return { complete, entries }
        """);

    /// <summary>KEYS: log. ARGV: after, count. Returns { read up to, entries }.</summary>
    public static readonly RedisScript ReadAll = new("""
        local t = redis.call('TIME')
        local now = string.format('%.0f-0', t[1] * 1000 + math.floor(t[2] / 1000) - 1)
        local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
        return { now, entries }
        """);

    /// <summary>KEYS: queue. ARGV: group, patience ms, count. Returns entries: what others left lying first, then what is new.</summary>
    public static readonly RedisScript Take = new("""
        if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
        pcall(redis.call, 'XGROUP', 'CREATE', KEYS[1], ARGV[1], '0')
        local found = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], 'any', ARGV[2], '0-0', 'COUNT', ARGV[3])[2]
        local left = tonumber(ARGV[3]) - #found
        if left > 0 then
          local new = redis.call('XREADGROUP', 'GROUP', ARGV[1], 'any', 'COUNT', left, 'STREAMS', KEYS[1], '>')
          if new then for _, entry in ipairs(new[1][2]) do found[#found + 1] = entry end end
        end
        return found
        """);

    /// <summary>KEYS: queue. ARGV: group, ids.</summary>
    public static readonly RedisScript Done = new("""
        for i = 2, #ARGV do
          redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
          redis.call('XDEL', KEYS[1], ARGV[i])
        end
        return 1
        """);

    /// <summary>KEYS: queue. ARGV: group, ids. Makes them look left alone for long enough.</summary>
    public static readonly RedisScript Return = new("""
        for i = 2, #ARGV do redis.call('XCLAIM', KEYS[1], ARGV[1], 'any', 0, ARGV[i], 'IDLE', 86400000, 'JUSTID') end
        return 1
        """);
}
