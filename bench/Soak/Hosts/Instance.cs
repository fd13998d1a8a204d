using Bff.TestKit;

namespace Bff.Bench.Soak.Hosts;

/// <summary>One process of a gateway, and whether it is meant to run.</summary>
internal sealed class Instance(string gateway, int at, GatewayProcess process)
{
    private readonly LogFile _log = new(gateway, at);

    public string Gateway { get; } = gateway;

    /// <summary>Which of the three places it has.</summary>
    public int At { get; } = at;

    public GatewayProcess Process { get; } = process;

    public Uri Address => Process.Address;

    /// <summary>A balancer sends requests to it.</summary>
    public bool IsServing { get; set; } = true;

    /// <summary>The run ended it, or is about to.</summary>
    public bool IsMeantToEnd { get; set; }

    /// <summary>When it was killed, in seconds since the start; NaN: it was not.</summary>
    public double KilledAt { get; set; } = double.NaN;

    /// <summary>Writes down what it has said since the last time.</summary>
    public void Drain() => _log.Keep(Process.TakeOutput());
}

/// <summary>Warnings and errors of the instances of one place, in a file, and how many of each.</summary>
internal sealed class LogFile(string gateway, int at)
{
    private static readonly Lock Writing = new();
    private static readonly Dictionary<string, int> Seen = [];
    private readonly string _file = Path.Combine(Folder, $"{gateway}-{at}.log");
    private bool _keeps;

    public static string Folder { get; } = Directory.CreateDirectory(Checkout.At("artifacts", "soak")).FullName;

    /// <summary>How often something was logged as an error, by its category.</summary>
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
