using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Bff.Events;

/// <summary>
/// The keys of the event log. All share one hash tag, because taking an event writes to several of them in one step, and a cluster keeps
/// the keys of one tag on one node.
/// </summary>
internal static class RedisEventKeys
{
    public const string Channel = "bff:events:appended";
    public const string Group = "work";

    /// <summary>Stream of all events.</summary>
    public static readonly RedisKey Log = "bff:events:{events}:log";

    /// <summary>Number of events taken.</summary>
    public static readonly RedisKey Number = "bff:events:{events}:number";

    /// <summary>Millisecond in which this log began. An earlier place belongs to a log that Redis has lost.</summary>
    public static readonly RedisKey Epoch = "bff:events:{events}:epoch";

    /// <summary>The last place that was written or handed out. Later events come after it, whatever the clock says.</summary>
    public static readonly RedisKey Mark = "bff:events:{events}:mark";

    /// <summary>Set of watched tenants. It does not expire.</summary>
    public static readonly RedisKey Watched = "bff:events:{events}:watched";

    /// <summary>
    /// Stream with a consumer group of the events to be handled. An entry is removed when it is done, so the stream does not expire.
    /// </summary>
    public static readonly RedisKey Queue = "bff:events:{events}:queue";

    public static RedisKey Tenant(string tenant) => "bff:events:{events}:t:" + Name(tenant);

    public static RedisKey User(string user) => "bff:events:{events}:u:" + Name(user);

    public static RedisKey Seen(EventHead head) => $"bff:events:{{events}}:seen:{Name(head.Source + "\0" + head.SourceId)}";

    /// <summary>Returns a name of fixed length without braces, so that no tenant, user or source can choose its slot.</summary>
    private static string Name(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}
