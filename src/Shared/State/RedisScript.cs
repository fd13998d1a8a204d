using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>
/// A Lua script that Redis runs as one atomic step. All keys that it uses share one hash tag, so that it also runs in a cluster.
/// </summary>
public sealed class RedisScript
{
    private readonly string _text;
    private readonly byte[] _sha1;

    /// <summary>
    /// Creates a script whose writes a failover must not lose. They are acknowledged once as many replicas as <c>State:Replicas</c> have
    /// them. Data that restores itself (limits, leases, copies, counts of seen items) does not need this.
    /// </summary>
    public static RedisScript Durable(string text) => new(text) { IsDurable = true };

    /// <summary>Creates a script and computes the SHA-1 by which Redis identifies it (EVALSHA).</summary>
    public RedisScript(string text)
    {
        _text = text;
#pragma warning disable CA5350 // Redis identifies scripts by SHA-1; it is not used for security.
        _sha1 = SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
    }

    /// <summary>See <see cref="Durable"/>.</summary>
    internal bool IsDurable { get; private init; }

    /// <summary>Runs the script by hash. The text is only sent to a server that does not know it yet (new, restarted, flushed).</summary>
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
