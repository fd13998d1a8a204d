using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Bff.Events;

/// <summary>
/// All keys share one hash tag: taking an event writes to several of them in one step, and a cluster keeps the tag on one node.
/// </summary>
internal static class RedisEventKeys
{
    public const string Channel = "bff:events:appended";
    public const string Group = "work";

    /// <summary>Stream of everybody's events.</summary>
    public static readonly RedisKey Log = "bff:events:{events}:log";

    /// <summary>How many have been taken.</summary>
    public static readonly RedisKey Number = "bff:events:{events}:number";

    /// <summary>The millisecond in which this log began: a place before it is of another log, one that Redis lost.</summary>
    public static readonly RedisKey Epoch = "bff:events:{events}:epoch";

    /// <summary>The last place that was written or handed out: what is taken comes after it, whatever the clock says.</summary>
    public static readonly RedisKey Mark = "bff:events:{events}:mark";

    /// <summary>Set of watched tenants; it has no lifetime.</summary>
    public static readonly RedisKey Watched = "bff:events:{events}:watched";

    /// <summary>Stream with a consumer group of what is to be done; entries go when they are done, so it has no lifetime.</summary>
    public static readonly RedisKey Queue = "bff:events:{events}:queue";

    public static RedisKey Tenant(string tenant) => "bff:events:{events}:t:" + Name(tenant);

    public static RedisKey User(string user) => "bff:events:{events}:u:" + Name(user);

    public static RedisKey Seen(EventHead head) => $"bff:events:{{events}}:seen:{Name(head.Source + "\0" + head.SourceId)}";

    /// <summary>A name of fixed length without braces, so that no tenant, user or source chooses its slot.</summary>
    private static string Name(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}
