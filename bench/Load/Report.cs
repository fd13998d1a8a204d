using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Bff.Bench.Load;

/// <summary>Writes the tables in Markdown, with what is needed to reproduce them.</summary>
internal sealed class Report
{
    private readonly LoadOptions _options;
    private readonly StringBuilder _text = new();

    public Report(LoadOptions options)
    {
        _options = options;
        var cpu = File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            ?.Split(':')[1]
            .Trim();
        _text.AppendLine(
            CultureInfo.InvariantCulture,
            $"""
            Commit {Commit()}, {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC. {Environment.ProcessorCount} cores of {cpu}, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}; load average at the start {File.ReadAllText(
                    "/proc/loadavg"
                ).Split(' ')[0]}.
            Load generator, services, Redis and the measured process share these cores. {options.Rounds} interleaved rounds of about {options.Requests} requests (or {options.Seconds} s at a fixed rate) after {options.WarmUp} requests of warm-up;
            medians, in brackets the lowest and the highest round. Ratios are made round by round. Every answer was checked; a run with one error is refused. Differences under 10 % are noise.
            """
        );
    }

    /// <summary>Adds a table with one row per subject and ratios to the first.</summary>
    public void Table(string title, Dictionary<Subject, List<Sample>> samples)
    {
        var reference = samples.First();
        _text
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"### {title}")
            .AppendLine()
            .AppendLine(
                CultureInfo.InvariantCulture,
                $"| | CPU µs/request | × {reference.Key.Name} | requests/s | p50 ms | p99 ms | allocated KB/request | resident MiB |"
            )
            .AppendLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var (subject, rounds) in samples)
        {
            var ratios = rounds.Zip(reference.Value, (own, other) => own.CpuMicros / other.CpuMicros);
            _text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {subject.Name} | {Text(rounds, s => s.CpuMicros, "0.0")} | {Statistics.Text(ratios, "0.00")} | {Text(rounds, s => s.PerSecond, "0")} | {Text(rounds, s => s.P50, "0.00")} | {Text(rounds, s => s.P99, "0.00")} | {Text(rounds, s => s.AllocatedBytes / 1024, "0.0")} | {Text(rounds, s => s.Mebibytes, "0")} |"
            );
        }
    }

    /// <summary>Adds any other table.</summary>
    public void Table(string title, string note, string[] columns, IEnumerable<string[]> rows)
    {
        _text
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"### {title}")
            .AppendLine()
            .AppendLine(note)
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", columns)} |")
            .AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", columns.Select(_ => "---"))} |");
        foreach (var row in rows)
        {
            _text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |");
        }
    }

    /// <summary>Reports that a job has no figures, and why.</summary>
    public void Refused(string job, string reason)
    {
        Console.Error.WriteLine($"{job} refused: {reason}");
        _text
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"### {job}: refused")
            .AppendLine()
            .AppendLine(reason.ReplaceLineEndings(" "));
    }

    /// <summary>Writes the report so far.</summary>
    public void Write()
    {
        if (_options.Out is { } file)
        {
            File.WriteAllText(Path.GetFullPath(file, Shell.Root), ToString());
        }
    }

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{_text}{Environment.NewLine}Rounds refused and run again: {Rounds.Refused}.{Environment.NewLine}"
        );

    private static string Text(List<Sample> rounds, Func<Sample, double> figure, string format) =>
        Statistics.Text(rounds.Select(figure), format);

    private static string Commit()
    {
        try
        {
            var commit = Shell.Run("git", ["rev-parse", "--short", "HEAD"], CancellationToken.None).GetAwaiter().GetResult().Trim();
            var changed =
                Shell.Run("git", ["status", "--porcelain", "--untracked-files=no"], CancellationToken.None).GetAwaiter().GetResult().Length
                > 0;
            return commit + (changed ? " with changes" : "");
        }
        catch (InvalidRunException)
        {
            return "unknown";
        }
    }
}
