using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Bff.TestKit;

namespace Bff.Shared.Tests.Models;

/// <summary>
/// A real Redis whose clock stands still until the test moves it, back or forth. It can be replaced by an older copy of itself, as by a
/// replica that missed the last writes. Instances connect through a <see cref="RedisLink"/>, which runs every command with a replacement
/// for <c>TIME</c>, for expiry and for stream ids. Keys expire when the clock is moved past their end.
/// </summary>
internal sealed class ModelServer : IDisposable
{
    private const string StandIn = """
        local server = redis
        local micros = tonumber(server.call('GET', 'model:clock'))
        local millis = math.floor(micros / 1000)
        local function ends(key, at)
          if at <= millis then server.call('DEL', key) else server.call('ZADD', 'model:ends', string.format('%.0f', at), key) end
        end
        local function call(run, name, ...)
          local words, command = { ... }, string.upper(name)
          if command == 'TIME' then return { string.format('%.0f', math.floor(micros / 1000000)), string.format('%.0f', micros % 1000000) } end
          if command == 'PEXPIRE' or command == 'EXPIRE' or command == 'PEXPIREAT' then
            if server.call('EXISTS', words[1]) == 0 then return 0 end
            local life = tonumber(words[2])
            ends(words[1], command == 'PEXPIREAT' and life or millis + life * (command == 'EXPIRE' and 1000 or 1))
            return 1
          end
          if command == 'DEL' or command == 'UNLINK' then server.call('ZREM', 'model:ends', unpack(words)) end
          if command == 'SET' then
            local kept, life = {}, nil
            local i = 1
            while i <= #words do
              local option = i > 2 and string.upper(words[i])
              if option == 'PX' or option == 'EX' then
                life = tonumber(words[i + 1]) * (option == 'EX' and 1000 or 1)
                i = i + 1
              else
                kept[#kept + 1] = words[i]
              end
              i = i + 1
            end
            local result = run('SET', unpack(kept))
            if result and not result.err then
              server.call('ZREM', 'model:ends', words[1])
              if life then ends(words[1], millis + life) end
            end
            return result
          end
          if command == 'XADD' then
            for i = 2, #words do
              if words[i] == '*' then
                local last = server.call('XREVRANGE', words[1], '+', '-', 'COUNT', 1)[1]
                local at = math.max(millis, last and tonumber(string.match(last[1], '^%d+')) or 0)
                words[i] = string.format('%.0f-*', at)
                break
              end
            end
          end
          return run(name, unpack(words))
        end
        local redis = setmetatable({
          call = function(...) return call(server.call, ...) end,
          pcall = function(...) return call(server.pcall, ...) end,
        }, { __index = server })

        """;

    private const string MoveScript = """
        redis.call('SET', 'model:clock', ARGV[1])
        for _, key in ipairs(redis.call('ZRANGEBYSCORE', 'model:ends', '-inf', ARGV[2])) do redis.call('DEL', key) end
        return redis.call('ZREMRANGEBYSCORE', 'model:ends', '-inf', ARGV[2])
        """;

    private const string KeepScript = """
        local copy = {}
        for _, key in ipairs(redis.call('KEYS', '*')) do
          if key ~= 'model:clock' then
            copy[#copy + 1] = key
            copy[#copy + 1] = redis.call('DUMP', key)
          end
        end
        return copy
        """;

    private const string RestoreScript = """
        local clock = redis.call('GET', 'model:clock')
        redis.call('FLUSHALL')
        for i = 1, #ARGV, 2 do redis.call('RESTORE', ARGV[i], 0, ARGV[i + 1]) end
        if clock then redis.call('SET', 'model:clock', clock) end
        return #ARGV
        """;

    private readonly RedisServer _server = RedisServer.Run("--appendonly", "no");
    private readonly TcpClient _client = new();
    private readonly RespStream _stream;
    private List<byte[]> _copy = [];

    public ModelServer()
    {
        _client.Connect(IPAddress.Loopback, _server.Port);
        _stream = new(_client.GetStream());
        Set(Model.Start).GetAwaiter().GetResult(); // Instances connect before the first run begins.
    }

    public int Port => _server.Port;

    public DateTimeOffset Now { get; private set; }

    /// <summary>Returns the script with the replacement prepended, and its SHA-1.</summary>
    public static (byte[] Sha1, byte[] Text) WithStandIn(string script)
    {
        var text = Encoding.UTF8.GetBytes(StandIn + script);
#pragma warning disable CA5350 // Redis names scripts by their SHA-1.
        return (Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA1.HashData(text))), text);
#pragma warning restore CA5350
    }

    /// <summary>Empties the server and its copy.</summary>
    public async Task Begin(DateTimeOffset now)
    {
        _copy = [];
        await Run(RestoreScript);
        await Set(now);
    }

    /// <summary>Moves the clock and deletes the keys that have expired by then.</summary>
    public Task Move(TimeSpan by) => Set(Now + by);

    /// <summary>Takes the copy that remains after a failover.</summary>
    public async Task Keep() => _copy = RespStream.Words(await Run(KeepScript));

    /// <summary>Restores the copy, so that later writes are lost. The clock keeps its time.</summary>
    public Task FailOver() => Run(RestoreScript, [.. _copy]);

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    private async Task Set(DateTimeOffset now)
    {
        Now = now;
        var micros = (now.UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        await Run(MoveScript, Text(micros), Text(micros / 1000));
    }

    private static byte[] Text(long number) => Encoding.ASCII.GetBytes(number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private async Task<byte[]> Run(string script, params byte[][] arguments)
    {
        await _stream.Write(
            RespStream.Command([.. (byte[][])["EVAL"u8.ToArray(), Encoding.UTF8.GetBytes(script), "0"u8.ToArray()], .. arguments])
        );
        var answer = await _stream.Frame();
        return answer[0] != '-' ? answer : throw new InvalidOperationException(Encoding.UTF8.GetString(answer));
    }
}
