using System.Globalization;
using System.Text.RegularExpressions;

namespace Bff.TestKit;

/// <summary>Moves one slot of a cluster from its server to another, step by step, as <c>redis-cli --cluster reshard</c> does.</summary>
public sealed partial class SlotMove
{
    private readonly RedisServer _from;
    private readonly RedisServer _to;
    private readonly IReadOnlyList<RedisServer> _all;
    private readonly string _slot;

    /// <param name="nodes">All primaries.</param>
    /// <param name="key">An existing key in the slot.</param>
    public SlotMove(IReadOnlyList<RedisServer> nodes, string key)
    {
        _all = nodes;
        _slot = Number().Match(nodes[0].Command("CLUSTER", "KEYSLOT", key)).Value;
        _from = nodes.Single(n => n.Command("EXISTS", key).StartsWith(":1", StringComparison.Ordinal));
        _to = nodes.First(n => n != _from);
    }

    /// <summary>Number of commands that the two servers have refused because only some of their keys were there.</summary>
    public int Refusals =>
        ((RedisServer[])[_from, _to]).Sum(node =>
            Refused().Match(node.Command("INFO", "errorstats")) is { Success: true } count
                ? int.Parse(count.Groups[1].Value, CultureInfo.InvariantCulture)
                : 0
        );

    public void Begin()
    {
        _to.Command("CLUSTER", "SETSLOT", _slot, "IMPORTING", IdOf(_from));
        _from.Command("CLUSTER", "SETSLOT", _slot, "MIGRATING", IdOf(_to));
    }

    public void Carry(string key) =>
        _from.Command("MIGRATE", "127.0.0.1", _to.Port.ToString(CultureInfo.InvariantCulture), key, "0", "5000");

    public void End()
    {
        foreach (var node in (RedisServer[])[_to, .. _all.Where(n => n != _to)])
        {
            node.Command("CLUSTER", "SETSLOT", _slot, "NODE", IdOf(_to));
        }
    }

    private static string IdOf(RedisServer node) => Name().Match(node.Command("CLUSTER", "MYID")).Value;

    [GeneratedRegex("[0-9a-f]{40}")]
    private static partial Regex Name();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();

    [GeneratedRegex("errorstat_TRYAGAIN:count=([0-9]+)")]
    private static partial Regex Refused();
}
