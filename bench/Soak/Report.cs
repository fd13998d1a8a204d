using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Bff.Bench.Soak.Hosts;
using Bff.Bench.Soak.Work;

namespace Bff.Bench.Soak;

/// <summary>Reports load, faults and checks in Markdown.</summary>
internal static class Report
{
    private const int Examples = 10;
    private static readonly string Kernel = RuntimeInformation.OSDescription.Split('#')[0].Trim();

    public static string Of(
        World world,
        SoakOptions options,
        Sender sender,
        Orders orders,
        EventFlow events,
        Credentials credentials,
        IReadOnlyList<Check> checks
    )
    {
        var text = new StringBuilder();
        text.AppendLine(
                CultureInfo.InvariantCulture,
                $"Commit {Git("rev-parse", "--short", "HEAD")}, {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC; "
            )
            .AppendLine(CultureInfo.InvariantCulture, $"{options.Minutes:0.#} minutes, seed {options.Seed}, rate {options.Rate:0.##}; ")
            .AppendLine(
                CultureInfo.InvariantCulture,
                $"{Environment.ProcessorCount} cores of {Processor()}, {Kernel}, .NET {Environment.Version}; load average at the end {Load()}."
            );
        text.AppendLine().AppendLine("| done | |").AppendLine("| --- | --- |");
        foreach (var fleet in world.Fleets)
        {
            var statuses = sender.Answers.Where(a => a.Key.Gateway == fleet.Gateway).OrderBy(a => a.Key.Status).ToList();
            var answers = string.Join(", ", statuses.Select(s => $"{s.Value} × {(s.Key.Status == 0 ? "no answer" : s.Key.Status)}"));
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {fleet.Gateway} | {statuses.Sum(s => s.Value)} requests: {answers}; {fleet.Starts} starts, {fleet.Killed.Count} killed |"
            );
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"| orders sent | {orders.Sent}, {orders.Repeats} of them also as a copy or again |");
        text.AppendLine(CultureInfo.InvariantCulture, $"| events accepted | {events.Count} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"| credentials made to end | {credentials.Count} |");
        text.AppendLine().AppendLine("| fault | times | seconds | |").AppendLine("| --- | --- | --- | --- |");
        foreach (var kind in world.Time.Episodes.Where(e => !double.IsInfinity(e.End)).GroupBy(e => e.Name).OrderBy(g => g.Key))
        {
            var notes = kind.Where(e => e.Note.Length > 0)
                .GroupBy(e => e.Note)
                .OrderBy(g => g.Key)
                .Select(g => g.Count() == 1 ? g.Key : $"{g.Key} × {g.Count()}");
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {kind.Key} | {kind.Count()} | {kind.Sum(e => e.End - e.Start):F0} | {string.Join("; ", notes)} |"
            );
        }

        text.AppendLine().AppendLine("| check | measured | |").AppendLine("| --- | --- | --- |");
        foreach (var check in checks)
        {
            var outcome = check.Broken.Count == 0 ? "holds" : $"broken {check.Broken.Count} times";
            text.AppendLine(CultureInfo.InvariantCulture, $"| {check.What} | {check.Measured} | {outcome} |");
        }

        foreach (var check in checks.Where(c => c.Broken.Count > 0))
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{check.What}, broken:").AppendLine();
            foreach (var broken in check.Broken.Take(Examples))
            {
                text.AppendLine("- " + broken.ReplaceLineEndings(" "));
            }
        }

        return text.ToString();
    }

    public static Check OfHosts(World world) =>
        new(
            "No host ends by itself; each gets ready, and exits with 0 when it is told to end; none writes a secret into its log",
            $"{world.Fleets.Sum(f => f.Starts)} processes",
            [.. world.Fleets.SelectMany(f => f.Surprises)]
        );

    public static Check OfAnswers(Sender sender) =>
        new("No answer is an internal error", $"{sender.Answers.Values.Sum()} answers", sender.InternalErrors);

    /// <summary>Lists what the hosts logged as errors; the log lines are in artifacts/soak.</summary>
    public static string Errors() =>
        string.Join(Environment.NewLine, LogFile.Errors.OrderByDescending(e => e.Value).Select(e => $"{e.Value, 6} {e.Key}"));

    private static string Git(params string[] arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true })!;
        return git.StandardOutput.ReadToEnd().Trim();
    }

    private static string Load() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3));

    private static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
        ?? "an unknown processor";
}
