using Bff.TestKit;

namespace Bff.Bench.Soak.Hosts;

/// <summary>One process of a gateway, and whether it is meant to run.</summary>
internal sealed class Instance(string gateway, int at, GatewayProcess process)
{
    private readonly LogFile _log = new(gateway, at);

    public string Gateway { get; } = gateway;

    /// <summary>The place of the instance among the three.</summary>
    public int At { get; } = at;

    public GatewayProcess Process { get; } = process;

    public Uri Address => Process.Address;

    /// <summary>Whether a balancer sends requests to the instance.</summary>
    public bool IsServing { get; set; } = true;

    /// <summary>Whether the run has ended the instance or is about to.</summary>
    public bool IsMeantToEnd { get; set; }

    /// <summary>Time of the kill, in seconds since the start; NaN: not killed.</summary>
    public double KilledAt { get; set; } = double.NaN;

    /// <summary>Writes down the output since the last time.</summary>
    public void Drain() => _log.Keep(Process.TakeOutput());
}

/// <summary>Writes the warnings and errors of the instances in one place to a file, and counts them.</summary>
internal sealed class LogFile(string gateway, int at)
{
    private static readonly Lock Writing = new();
    private static readonly Dictionary<string, int> Seen = [];
    private readonly string _file = Path.Combine(Folder, $"{gateway}-{at}.log");
    private bool _keeps;

    public static string Folder { get; } = Directory.CreateDirectory(Checkout.At("artifacts", "soak")).FullName;

    /// <summary>Number of logged errors by category.</summary>
    public static IReadOnlyDictionary<string, int> Errors => Seen;

    public static void Clear()
    {
        foreach (var old in Directory.GetFiles(Folder, "*.log"))
        {
            File.Delete(old);
        }
    }

    public void Keep(IReadOnlyList<string> lines)
    {
        lock (Writing)
        {
            var kept = new List<string>();
            foreach (var line in lines)
            {
                if (!line.StartsWith(' '))
                {
                    _keeps = !line.StartsWith("info:", StringComparison.Ordinal) && !line.StartsWith('{');
                    if (line.StartsWith("fail:", StringComparison.Ordinal) || line.StartsWith("crit:", StringComparison.Ordinal))
                    {
                        var category = $"{gateway} {line.Split(['[', ' '])[1]}";
                        Seen[category] = Seen.GetValueOrDefault(category) + 1;
                    }
                }

                if (_keeps)
                {
                    kept.Add(line);
                }
            }

            File.AppendAllLines(_file, kept);
        }
    }
}
