using System.Globalization;
using System.Text.RegularExpressions;

namespace Bff.TestKit;

/// <summary>A primary and a replica that follows it.</summary>
public sealed partial class RedisPair : IDisposable
{
    /// <summary>The first copy of the data is sent at once.</summary>
    internal static readonly string[] Eager = ["--repl-diskless-sync-delay", "0"];

    private RedisPair(RedisServer primary) => (Primary, Replica) = (primary, RunReplica(primary));

    public RedisServer Primary { get; }

    public RedisServer Replica { get; }

    /// <summary>For <c>ConnectionStrings:redis</c>: of the documented user, at the primary.</summary>
    public string ConnectionString => Primary.ConnectionString;

    /// <summary>Starts both, and returns once what is written to one arrives at the other.</summary>
    public static RedisPair Run()
    {
        var pair = new RedisPair(RedisServer.Run(Eager));
        WaitFor(pair.Primary);
        return pair;
    }

    /// <summary>As redis-server has it in its arguments.</summary>
    public static string[] Following(RedisServer primary)
    {
        ArgumentNullException.ThrowIfNull(primary);
        return ["--replicaof", "127.0.0.1 " + primary.Port.ToString(CultureInfo.InvariantCulture)];
    }

    public void Dispose()
    {
        Replica.Dispose();
        Primary.Dispose();
    }

    internal static RedisServer RunReplica(RedisServer primary) => RedisServer.Run([.. Following(primary), .. Eager]);

    /// <summary>Until the replica has told its primary that it has all: that it follows is said before.</summary>
    internal static void WaitFor(RedisServer primary)
    {
        primary.Send("PUBLISH", "bff:test", ""); // There is something to have.
        while (!HasAll().IsMatch(primary.Send("INFO", "replication")))
        {
            Thread.Sleep(10); // Waits for another program, which has no signal to give.
        }
    }

    [GeneratedRegex(@"slave0:[^\r]*state=online,offset=(?<offset>[1-9]\d*),.*master_repl_offset:\k<offset>\r", RegexOptions.Singleline)]
    private static partial Regex HasAll();
}
