using Bff.State;

namespace Bff.Events;

/// <summary>
/// The Lua scripts of the event log. Every step is one script and uses the server's clock, which may go back after a failover or when it is
/// set. The mark is the last place that was written or handed out. Nothing beyond it is handed out, and every event is taken after it, so
/// that no reader stands at a place before which an event will still appear. A place carries the stamp of the last event up to it
/// (<see cref="EventId.StampBits"/>). The stamp shows whether the log still has the events of the place or has lost them, whatever it took
/// since.
/// </summary>
internal static class RedisEventScripts
{
    /// <summary>
    /// Functions at the start of each script: <c>now</c>; <c>top(log, mark)</c>, the place of the mark or, if that was lost, of the last
    /// event; <c>after</c>, whether one place is after another; <c>known(log, id)</c>, whether the last event up to a place is the one with
    /// which the place was made, as far as the log goes back.
    /// </summary>
    private const string Places = """
        local t = redis.call('TIME')
        local now = t[1] * 1000 + math.floor(t[2] / 1000)
        local stamps = 16777216
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
        local function known(log, id)
          local last = redis.call('XREVRANGE', log, id, '-', 'COUNT', 1)[1]
          if not last then return true end
          local _, a = parts(last[1])
          local _, b = parts(id)
          return a % stamps == b % stamps
        end

        """;

    /// <summary>
    /// KEYS: log, number, epoch, watched, queue, mark, then seen, tenant, user of each event (the log's key if there is none). ARGV:
    /// retention ms, length, largest number that may wait, channel, stamp, then tenant, user, head, data of each event. Returns -1 if too
    /// many events wait, otherwise the number of new ones. The keys that mark events as seen are written last. If Redis refuses any
    /// command, the commands before it are undone, because an event that is published again must be neither missing nor in the log twice.
    /// Only the places stay used, because no stream accepts an id twice.
    /// </summary>
    public static readonly RedisScript Append = RedisScript.Durable(
        Places
            + """
            local kept, length, stamp = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[5])
            if redis.call('XLEN', KEYS[5]) + (#KEYS - 6) / 3 > tonumber(ARGV[3]) then return -1 end
            local m, s = top(KEYS[1], KEYS[6])
            local before = s % stamps
            local events, batch = {}, {}
            for i = 0, (#KEYS - 6) / 3 - 1 do
              local k = 7 + i * 3
              if not batch[KEYS[k]] and redis.call('EXISTS', KEYS[k]) == 0 then
                batch[KEYS[k]] = true
                if now > m then m, s = now, stamp else s = (math.floor(s / stamps) + 1) * stamps + stamp end
                events[#events + 1] = { k = k, a = 6 + i * 4, id = place(m, s) }
              end
            end
            if #events == 0 then return 0 end
            local number = tonumber(redis.call('GET', KEYS[2]) or 0)
            local cutoff = string.format('%.0f', now - kept)
            local undo, lists = {}, {}
            local function add(key, id, ...)
              redis.call('XADD', key, id, ...)
              undo[#undo + 1] = { 'XDEL', key, id }
            end
            local function keep(key, id, head, data)
              add(key, id, 'e', head, 'd', data)
              lists[key] = true
            end
            local function take()
              redis.call('SET', KEYS[6], place(m, s), 'PX', 3 * kept)
              undo[1] = { 'SET', KEYS[6], place(m, s - stamp + before), 'PX', 3 * kept }
              for i, event in ipairs(events) do
                local tenant, user, head, data = ARGV[event.a], ARGV[event.a + 1], ARGV[event.a + 2], ARGV[event.a + 3]
                add(KEYS[1], event.id, 'e', head, 'd', data, 'n', string.format('%.0f', number + i))
                if tenant ~= '' then
                  keep(KEYS[event.k + 1], event.id, head, data)
                  if redis.call('SISMEMBER', KEYS[4], tenant) == 1 then add(KEYS[5], event.id, 'e', head, 'd', data) end
                end
                if user ~= '' then keep(KEYS[event.k + 2], event.id, head, data) end
              end
              redis.call('SET', KEYS[2], string.format('%.0f', number + #events), 'PX', 3 * kept)
              undo[#undo + 1] = { 'SET', KEYS[2], string.format('%.0f', number), 'PX', 3 * kept }
              redis.call('SET', KEYS[3], string.format('%.0f', now - 1), 'NX')
              redis.call('PEXPIRE', KEYS[3], 3 * kept)
              redis.call('PEXPIRE', KEYS[1], 2 * kept)
              redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', length)
              redis.call('XTRIM', KEYS[1], 'MINID', '~', cutoff)
              for key in pairs(lists) do
                redis.call('XTRIM', key, 'MAXLEN', '=', length + 1)
                redis.call('XTRIM', key, 'MINID', '~', cutoff)
                redis.call('PEXPIRE', key, kept)
              end
              redis.call('PUBLISH', ARGV[4], '')
              for _, event in ipairs(events) do
                redis.call('SET', KEYS[event.k], '1', 'EX', 86400)
                undo[#undo + 1] = { 'DEL', KEYS[event.k] }
              end
            end
            local done, failure = pcall(take)
            if done then return #events end
            for i = #undo, 1, -1 do redis.pcall(unpack(undo[i])) end
            return type(failure) == 'table' and failure or redis.error_reply(tostring(failure))
            """
    );

    /// <summary>KEYS: log, number, epoch, mark. ARGV: retention ms. Returns { id, number }.</summary>
    public static readonly RedisScript End = new(
        Places
            + """
            redis.call('SET', KEYS[3], string.format('%.0f', now - 1), 'NX')
            redis.call('PEXPIRE', KEYS[3], 3 * ARGV[1])
            local m, s = top(KEYS[1], KEYS[4])
            if now - 1 > m then m, s = now - 1, s % stamps end
            redis.call('SET', KEYS[4], place(m, s), 'PX', 3 * ARGV[1])
            return { place(m, s), redis.call('GET', KEYS[2]) or '0' }
            """
    );

    /// <summary>
    /// KEYS: stream, epoch, log, mark. ARGV: after, its ms, count, retention ms, length, whether the place was handed out. Returns {
    /// complete, entries }. A place beyond the mark, or with another stamp than its event's, is one that this log has lost, and events
    /// taken since may be before it.
    /// </summary>
    public static readonly RedisScript Read = new(
        Places
            + """
            local epoch = redis.call('GET', KEYS[2])
            local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[3])
            local complete = 0
            if epoch and tonumber(epoch) <= tonumber(ARGV[2]) and now - tonumber(ARGV[2]) < tonumber(ARGV[4]) then
              complete = 1
              local a, b = parts(ARGV[1])
              if ARGV[6] == '1' and (after(a, b, top(KEYS[3], KEYS[4])) or not known(KEYS[3], ARGV[1])) then complete = 0 end
              if redis.call('XLEN', KEYS[1]) > tonumber(ARGV[5]) and #redis.call('XRANGE', KEYS[1], '-', ARGV[1], 'COUNT', 1) == 0 then complete = 0 end
            end
            return { complete, entries }
            """
    );

    /// <summary>
    /// KEYS: log, mark. ARGV: after, count, retention ms. Returns { the mark, entries, complete }. The mark advances with time, a second at
    /// a time. It is handed out only after it has stood for a second, when a replica has it too.
    /// </summary>
    public static readonly RedisScript ReadAll = new(
        Places
            + """
            local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
            local m, s = top(KEYS[1], KEYS[2])
            local a, b = parts(ARGV[1])
            local complete = not after(a, b, m, s) and known(KEYS[1], ARGV[1])
            if #entries == 0 and now - 1000 > m then redis.call('SET', KEYS[2], place(now - 1, s % stamps), 'PX', 3 * ARGV[3]) end
            return { place(m, s), entries, complete and 1 or 0 }
            """
    );

    /// <summary>
    /// KEYS: queue. ARGV: group, time limit in ms, count. Returns entries: first those that others left unfinished, then new ones.
    /// </summary>
    public static readonly RedisScript Take = new(
        """
        if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
        pcall(redis.call, 'XGROUP', 'CREATE', KEYS[1], ARGV[1], '0')
        local found = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], 'any', ARGV[2], '0-0', 'COUNT', ARGV[3])[2]
        local left = tonumber(ARGV[3]) - #found
        if left > 0 then
          local new = redis.call('XREADGROUP', 'GROUP', ARGV[1], 'any', 'COUNT', left, 'STREAMS', KEYS[1], '>')
          if new then for _, entry in ipairs(new[1][2]) do found[#found + 1] = entry end end
        end
        return found
        """
    );

    /// <summary>
    /// KEYS: queue. ARGV: group, ids. Deletes the entries as well as acknowledging them: an entry that is only acknowledged would never be
    /// handed out again, but would count as waiting forever.
    /// </summary>
    public static readonly RedisScript Done = new(
        """
        for i = 2, #ARGV do redis.call('XDEL', KEYS[1], ARGV[i]) end
        for i = 2, #ARGV do redis.call('XACK', KEYS[1], ARGV[1], ARGV[i]) end
        return 1
        """
    );

    /// <summary>KEYS: queue. ARGV: group, ids. Makes the entries look idle for long enough to be claimed.</summary>
    public static readonly RedisScript Return = new(
        """
        for i = 2, #ARGV do redis.call('XCLAIM', KEYS[1], ARGV[1], 'any', 0, ARGV[i], 'IDLE', 86400000, 'JUSTID') end
        return 1
        """
    );
}
