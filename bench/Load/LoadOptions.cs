using System.Globalization;

namespace Bff.Bench.Load;

/// <summary>Options of the command line.</summary>
/// <param name="Jobs">Jobs to run; empty: all.</param>
/// <param name="Rounds">Interleaved rounds per job; five at least for figures that are to be quoted.</param>
/// <param name="Requests">Approximate requests per subject and round at saturation, because wrk runs for a time.</param>
/// <param name="WarmUp">Requests before the first round.</param>
/// <param name="Seconds">Duration of each round at a fixed rate.</param>
/// <param name="Out">File for the tables; null: standard output.</param>
/// <param name="Compare">Environment variable, <c>NAME=value</c>, with which pass-through and home feed are measured once more; null:
/// none.</param>
/// <param name="Before">Published mobile gateways of other versions: the path of each <c>MobileBff.dll</c>, whose folder names it in the
/// tables. Pass-through and home feed measure them beside this one.</param>
/// <param name="SkipBuild">Whether to measure what the last run published.</param>
internal sealed record LoadOptions(
    IReadOnlyList<string> Jobs,
    int Rounds,
    int Requests,
    int WarmUp,
    int Seconds,
    string? Out,
    string? Compare,
    IReadOnlyList<string> Before,
    bool SkipBuild
)
{
    private const string Usage = """
        dotnet run -c Release --project bench/Load -- [OPTIONS]

          --jobs a,b      pass-through, home-feed, product, latency, start, first-minute, hanging, tenant, overload,
                          growth, stored-tenants, memory, bodies, storm, forged, progressive (default: all)
          --rounds N      interleaved rounds, default 5
          --requests N    per subject and round, default 50000
          --warm-up N     requests per subject before the first round, default 300000
          --seconds N     per subject and round at a fixed rate, default 8
          --out FILE      write the tables there, such as docs/performance.tables.md
          --compare N=V   pass-through, home feed: one more gateway, with this environment variable, such as a runtime setting
          --before A,B    pass-through, home feed: the MobileBff.dll of other versions, published, beside this one
          --skip-build    measure what the last run published
        """;

    /// <summary>Returns the options, or null for a wrong command line, after printing the usage.</summary>
    public static LoadOptions? Parse(string[] args)
    {
        var options = new LoadOptions([], 5, 50_000, 300_000, 8, null, null, [], false);
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0;
            switch (args[i])
            {
                case "--skip-build":
                    options = options with { SkipBuild = true };
                    continue;
                case "--jobs" when value.Length > 0:
                    options = options with { Jobs = value.Split(',', StringSplitOptions.RemoveEmptyEntries) };
                    break;
                case "--rounds" when isNumber:
                    options = options with { Rounds = number };
                    break;
                case "--requests" when isNumber:
                    options = options with { Requests = number };
                    break;
                case "--warm-up" when isNumber:
                    options = options with { WarmUp = number };
                    break;
                case "--seconds" when isNumber:
                    options = options with { Seconds = number };
                    break;
                case "--out" when value.Length > 0:
                    options = options with { Out = value };
                    break;
                case "--compare" when value.Contains('=', StringComparison.Ordinal):
                    options = options with { Compare = value };
                    break;
                case "--before" when value.Split(',') is var programs && programs.All(File.Exists):
                    options = options with { Before = [.. programs.Select(Path.GetFullPath)] };
                    break;
                default:
                    Console.Error.WriteLine(Usage);
                    return null;
            }

            i++;
        }

        return options;
    }
}

/// <summary>A run had a wrong answer or an error, so it says nothing about cost.</summary>
internal sealed class InvalidRunException(string message) : Exception(message);
