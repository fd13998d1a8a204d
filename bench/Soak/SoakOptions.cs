using System.Globalization;

namespace Bff.Bench.Soak;

/// <summary>Options of the command line.</summary>
/// <param name="Minutes">Minutes of load with faults.</param>
/// <param name="Seed">Seed of every random choice; the same seed injects the same faults in the same order.</param>
/// <param name="Rate">Factor of the usual load of about sixty requests a second.</param>
/// <param name="Faults">Names of the faults to inject; empty: all.</param>
/// <param name="Out">File for the report besides the terminal; null: none.</param>
internal sealed record SoakOptions(double Minutes, int Seed, double Rate, IReadOnlyList<string> Faults, string? Out)
{
    private const string Usage = """
        dotnet run -c Release --project bench/Soak -- [OPTIONS]

          --minutes N       how long load and faults last (default 30); starting and settling come on top
          --seed N          of the random choices (default 1)
          --rate X          times the usual load (default 1: about 60 requests a second)
          --faults a,b,...  only these faults (see bench/README.md for their names); none: no fault at all
          --out FILE        write the report there too

        Logs of the gateways (warnings and errors) go to artifacts/soak. Exit code 0: every check holds; 1: one does not; 2: wrong words.
        """;

    public TimeSpan Length => TimeSpan.FromMinutes(Minutes);

    /// <summary>Returns the options, or null for a wrong command line, after printing the usage.</summary>
    public static SoakOptions? Parse(string[] args)
    {
        var options = new SoakOptions(30, 1, 1, [], null);
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            SoakOptions? next = args[i] switch
            {
                "--minutes" when double.TryParse(value, CultureInfo.InvariantCulture, out var minutes) && minutes > 0 => options with
                {
                    Minutes = minutes,
                },
                "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out var seed) => options with { Seed = seed },
                "--rate" when double.TryParse(value, CultureInfo.InvariantCulture, out var rate) && rate > 0 => options with
                {
                    Rate = rate,
                },
                "--faults" when value.Length > 0 => options with { Faults = value.Split(',') },
                "--out" when value.Length > 0 => options with { Out = value },
                _ => null,
            };
            if (next is null)
            {
                Console.Error.WriteLine(Usage);
                return null;
            }

            options = next;
        }

        return options;
    }
}
