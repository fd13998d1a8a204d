using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>
/// A Lua script that runs as one step in Redis. All keys that it touches share one hash tag, so that it also runs in a cluster.
/// </summary>
public sealed class RedisScript
{
    private readonly string _text;
    private readonly byte[] _sha1;

    /// <summary>
    /// One whose write a failover must not lose: it is acknowledged once it is on as many replicas as <c>State:Replicas</c> says. Whatever
    /// is made good by itself (limits, leases, copies, counts of what was seen) is not such a write.
    /// </summary>
    public static RedisScript Durable(string text) => new(text) { IsDurable = true };

    /// <summary>Remembers the script and its SHA-1, by which Redis knows it (EVALSHA).</summary>
    public RedisScript(string text)
    {
        _text = text;
#pragma warning disable CA5350 // Redis names scripts so; nothing is protected by it.
        _sha1 = SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
    }

    /// <summary>See <see cref="Durable"/>.</summary>
    internal bool IsDurable { get; private init; }

    /// <summary>Runs it by hash; only a server that does not know it yet (new, restarted, flushed) is sent the text.</summary>
    internal async Task<RedisResult> Evaluate(IDatabase database, RedisKey[] keys, RedisValue[] values)
    {
        try
        {
            return await database.ScriptEvaluateAsync(_sha1, keys, values, CommandFlags.DemandMaster);
        }
        catch (RedisServerException unknown) when (unknown.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            return await database.ScriptEvaluateAsync(_text, keys, values, CommandFlags.DemandMaster);
        }
    }
}
