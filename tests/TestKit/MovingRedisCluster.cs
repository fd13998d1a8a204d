using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Bff.TestKit;

/// <summary>
/// A cluster of two servers. A background thread moves slots with keys from one to the other, one after another, as <c>redis-cli --cluster
/// reshard</c> does.
/// </summary>
internal sealed partial class MovingRedisCluster : RedisReach
{
    private const int InARow = 10;
    private const int MostSteps = 50;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(15);
    private readonly RedisServer[] _nodes;
    private readonly string[] _ids;
    private readonly Lock _moving = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _mover;
    private bool _pauses;
    private volatile Exception? _failure;
    private int _moved;

    private MovingRedisCluster(RedisServer first, RedisServer second)
    {
        _nodes = [first, second];
        _ids = [.. _nodes.Select(n => Name().Match(n.Send("CLUSTER", "MYID")).Value)];
        first.Send("CLUSTER", "ADDSLOTSRANGE", "0", "8191");
        second.Send("CLUSTER", "ADDSLOTSRANGE", "8192", "16383"); // A server that loses its last slot becomes a replica of the other.
        first.Send("CLUSTER", "SET-CONFIG-EPOCH", "1");
        second.Send("CLUSTER", "SET-CONFIG-EPOCH", "2");
        first.Send("CLUSTER", "MEET", "127.0.0.1", second.Port.ToString(CultureInfo.InvariantCulture));
        Serves();
        _mover = new(MoveUntilStopped) { IsBackground = true };
        _mover.Start();
    }

    public override string ConnectionString => $"{_nodes[0].Address},{_nodes[1].Address}{RedisServer.AsUser}";

    public override IReadOnlyList<RedisServer> Others => [_nodes[1]];

    /// <summary>Number of slots that have moved so far.</summary>
    public int Moved => Volatile.Read(ref _moved);

    public static RedisServer Start()
    {
        string[] arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000", "--cluster-announce-ip", "127.0.0.1"];
        var second = RedisServer.Run(new Dictionary<string, string>(), arguments);
        return RedisServer.RunAlone(first => new MovingRedisCluster(first, second), arguments);
    }

    /// <summary>Sends commands about a server to both, and commands about a key to its owner.</summary>
    public override string? Command(string[] words)
    {
        lock (_moving)
        {
            switch (words[0])
            {
                case "ACL" or "CONFIG" or "CLIENT" or "FLUSHALL" or "SCRIPT":
                    return _nodes.Select(n => n.Send(words)).ToList()[0];
                case "PUBSUB":
                    var answers = _nodes.Select(n => n.Send(words)).ToList();
                    return answers.Find(a => !a.EndsWith(":0\r\n", StringComparison.Ordinal)) ?? answers[0];
                default:
                    var answer = _nodes[0].Send(words);
                    return answer.StartsWith("-MOVED", StringComparison.Ordinal) ? _nodes[1].Send(words) : answer;
            }
        }
    }

    public override void Pause()
    {
        lock (_moving)
        {
            _pauses = true;
        }
    }

    public override void Resume()
    {
        Serves();
        lock (_moving)
        {
            _pauses = false;
        }
    }

    public override void Dispose()
    {
        _stop.Cancel();
        _mover.Join();
        _stop.Dispose();
        base.Dispose();
        if (_failure is { } failure)
        {
            throw new InvalidOperationException("the slots stopped moving", failure);
        }
    }

    private void Serves()
    {
        var waited = Stopwatch.StartNew();
        while (
            !_nodes.All(n =>
                n.Send("CLUSTER", "INFO") is var info
                && info.Contains("cluster_state:ok", StringComparison.Ordinal)
                && info.Contains("cluster_known_nodes:2", StringComparison.Ordinal)
            )
        )
        {
            if (waited.Elapsed > TimeSpan.FromSeconds(60))
            {
                throw new InvalidOperationException("the cluster did not come up");
            }

            Thread.Sleep(20); // Waits for other programs, which give no signal.
        }
    }

    private void Move()
    {
        var (from, left) = (0, InARow);
        while (!_stop.IsCancellationRequested)
        {
            lock (_moving)
            {
                // Like an operator: a slot never moves back before both servers know of the move, or both would claim the slot.
                if (!_pauses && IsAgreed())
                {
                    var key = Bulk().Match(_nodes[from].Send("RANDOMKEY"));
                    if (key.Success)
                    {
                        Move(from, Number().Match(_nodes[from].Send("CLUSTER", "KEYSLOT", key.Groups[1].Value)).Value);
                    }

                    (from, left) = key.Success && left > 1 ? (from, left - 1) : (1 - from, InARow);
                }
            }

            _stop.Token.WaitHandle.WaitOne(Rest);
        }
    }

    private void MoveUntilStopped()
    {
        try
        {
            Move();
        }
        catch (Exception failure) when (failure is InvalidOperationException or IOException or System.Net.Sockets.SocketException)
        {
            _failure = failure; // The test reports it at its end; an exception on this thread would end the process.
        }
    }

    /// <summary>Moves one slot, which clients may use at each step.</summary>
    private void Move(int from, string slot)
    {
        var (source, target) = (_nodes[from], _nodes[1 - from]);
        Set(target, slot, "IMPORTING", _ids[from]);
        Set(source, slot, "MIGRATING", _ids[1 - from]);
        Thread.Sleep(Step);
        // A slot with many keys moves in as many steps as one with few, because commands with keys on both sides wait meanwhile.
        var keys = int.Parse(Number().Match(source.Send("CLUSTER", "COUNTKEYSINSLOT", slot)).Value, CultureInfo.InvariantCulture);
        var atOnce = Math.Max(1, keys / MostSteps).ToString(CultureInfo.InvariantCulture);
        while (Bulk().Matches(source.Send("CLUSTER", "GETKEYSINSLOT", slot, atOnce)) is { Count: > 0 } some)
        {
            Carry(source, target, [.. some.Select(key => key.Groups[1].Value)]);
            Thread.Sleep(Step);
        }

        Set(target, slot, "NODE", _ids[1 - from]);
        Thread.Sleep(Step);
        Set(source, slot, "NODE", _ids[1 - from]);
        Interlocked.Increment(ref _moved);
    }

    /// <summary>Whether both servers agree on the owners of all slots and their epochs.</summary>
    private bool IsAgreed() => Known(_nodes[0]).SetEquals(Known(_nodes[1]));

    private static HashSet<string> Known(RedisServer node) =>
        [
            .. node.Send("CLUSTER", "NODES")
                .Split('\n')
                .Select(line => line.TrimEnd('\r').Split(' '))
                .Where(words => words.Length > 7)
                .Select(words => string.Join(' ', [words[0], words[6], .. words[8..].Where(w => w[0] != '[')])),
        ];

    private static void Set(RedisServer node, string slot, string what, string id)
    {
        if (node.Send("CLUSTER", "SETSLOT", slot, what, id) is not "+OK\r\n" and var refused)
        {
            throw new InvalidOperationException($"{what}: {refused}");
        }
    }

    private static void Carry(RedisServer source, RedisServer target, string[] keys)
    {
        var port = target.Port.ToString(CultureInfo.InvariantCulture);
        var answer = source.Send(["MIGRATE", "127.0.0.1", port, "", "0", "5000", "KEYS", .. keys]);
        if (answer is not ("+OK\r\n" or "+NOKEY\r\n"))
        {
            throw new InvalidOperationException(answer);
        }
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();

    [GeneratedRegex("[0-9a-f]{40}")]
    private static partial Regex Name();

    [GeneratedRegex(@"\$[0-9]+\r\n([^\r]+)\r\n")]
    private static partial Regex Bulk();
}
