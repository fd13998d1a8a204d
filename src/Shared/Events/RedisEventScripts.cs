using Bff.State;

namespace Bff.Events;

/// <summary>
/// Every step of the log is one script, on the server's clock, which may go back: after a failover, or when somebody sets it. The mark is the last place that
/// was written or handed out. Nothing is handed out beyond it, and everything that is taken comes after it, so that no reader stands where an event is yet to come.
/// </summary>
internal static class RedisEventScripts
{
    /// <summary>Begins each script: <c>now</c>; <c>top(log, mark)</c>, the place of the mark or, where that was lost, of the last event; whether one place is after another.</summary>
    private const string Places = """
        local t = redis.call('TIME')
        local now = t[1] * 1000 + math.floor(t[2] / 1000)
        local function parts(id) local m, s = string.match(id, '(%d+)-(%d+)') return tonumber(m), tonumber(s) end
        local function after(m, s, a, b) return m > a or (m == a and s > b) end
        local function place(m, s) return string.format('%.0f-%.0f', m, s) end
        local function top(log, mark)
          local m, s = 0, 0
          local known = redis.call('GET', mark)
          if known then m, s = parts(known) end
          local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
          if last then
            local a, b = parts(last[1])
            if after(a, b, m, s) then m, s = a, b end
          end
          return m, s
        end

        """;

    /// <summary>
    /// KEYS: log, number, epoch, watched, queue, mark, then seen, tenant, user of each event (the log's where there is none).
    /// ARGV: retention ms, length, most that may wait, channel, then tenant, user, head, data of each event.
    /// Returns -1 when too much waits, else how many were new.
    /// </summary>
    public static readonly RedisScript Append = new(Places + """
        local kept, length = tonumber(ARGV[1]), tonumber(ARGV[2])
        if redis.call('XLEN', KEYS[5]) + (#KEYS - 6) / 3 > tonumber(ARGV[3]) then return -1 end
        local cutoff = string.format('%.0f', now - kept)
        local function keep(key, id, head, data)
          redis.call('XADD', key, 'MAXLEN', '=', length + 1, id, 'e', head, 'd', data)
          redis.call('XTRIM', key, 'MINID', '~', cutoff)
          redis.call('PEXPIRE', key, kept)
        end
        local taken = 0
        local m, s = top(KEYS[1], KEYS[6])
        for i = 0, (#KEYS - 6) / 3 - 1 do
          local k, a = 7 + i * 3, 5 + i * 4
          if redis.call('SET', KEYS[k], '1', 'EX', 86400, 'NX') then
            taken = taken + 1
            local number = redis.call('INCR', KEYS[2])
            if now > m then m, s = now, 0 else s = s + 1 end
            local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', length, place(m, s), 'e', ARGV[a + 2], 'd', ARGV[a + 3], 'n', number)
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
          redis.call('SET', KEYS[6], place(m, s), 'PX', 3 * kept)
          redis.call('PEXPIRE', KEYS[1], 2 * kept)
          redis.call('PEXPIRE', KEYS[2], 3 * kept)
          redis.call('PEXPIRE', KEYS[3], 3 * kept)
          redis.call('PUBLISH', ARGV[4], '')
        end
        return taken
        """);

    /// <summary>KEYS: log, number, epoch, mark. ARGV: retention ms. Returns { id, number }.</summary>
    public static readonly RedisScript End = new(Places + """
        redis.call('SET', KEYS[3], string.format('%.0f', now - 1), 'NX')
        redis.call('PEXPIRE', KEYS[3], 3 * ARGV[1])
        local m, s = top(KEYS[1], KEYS[4])
        if now - 1 > m then m, s = now - 1, 0 end
        redis.call('SET', KEYS[4], place(m, s), 'PX', 3 * ARGV[1])
        return { place(m, s), redis.call('GET', KEYS[2]) or '0' }
        """);

    /// <summary>
    /// KEYS: stream, epoch, log, mark. ARGV: after, its ms, count, retention ms, length, whether the place was handed out. Returns { complete, entries }.
    /// A place beyond the mark is one that this log has forgotten, and what it took since may be before it.
    /// </summary>
    public static readonly RedisScript Read = new(Places + """
        local epoch = redis.call('GET', KEYS[2])
        local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[3])
        local complete = 0
        if epoch and tonumber(epoch) <= tonumber(ARGV[2]) and now - tonumber(ARGV[2]) < tonumber(ARGV[4]) then
          complete = 1
          local a, b = parts(ARGV[1])
          if ARGV[6] == '1' and after(a, b, top(KEYS[3], KEYS[4])) then complete = 0 end
          if redis.call('XLEN', KEYS[1]) > tonumber(ARGV[5]) and #redis.call('XRANGE', KEYS[1], '-', ARGV[1], 'COUNT', 1) == 0 then complete = 0 end
        end
        return { complete, entries }
        """);

    /// <summary>
    /// KEYS: log, mark. ARGV: after, count, retention ms. Returns { the mark, entries }. With time the mark moves on, a second at a time, and is handed out
    /// only when it has stood for a second: by then a replica has it too.
    /// </summary>
    public static readonly RedisScript ReadAll = new(Places + """
        local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
        local m, s = top(KEYS[1], KEYS[2])
        if #entries == 0 and now - 1000 > m then redis.call('SET', KEYS[2], place(now - 1, 0), 'PX', 3 * ARGV[3]) end
        return { place(m, s), entries }
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
