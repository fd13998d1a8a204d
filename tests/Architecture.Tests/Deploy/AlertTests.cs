using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Bff.TestKit;

namespace Architecture.Tests.Deploy;

/// <summary>Tests alerts and panels with Prometheus' own engine.</summary>
public sealed class AlertTests
{
    private const string Test = "\n  - name: ";

    [InstalledFact("promtool")]
    public void Every_alert_fires_within_the_time_that_it_promises_and_stops()
    {
        var tests = File.ReadAllText(Outages)
            .Replace("RULES", Path.Combine(Source.Root, "deploy/prometheus/rules/*.yml"), StringComparison.Ordinal)
            .Split(Test);
        var each = tests[1..]
            .SelectMany(t =>
                t.Contains("GATEWAY", StringComparison.Ordinal)
                    ? Source.Gateways.Select(g => t.Replace("GATEWAY", g.Host, StringComparison.Ordinal))
                    : [t]
            );
        Play(string.Join(Test, each.Prepend(tests[0])));
    }

    [Fact]
    public void Every_alert_has_an_outage_in_which_it_fires()
    {
        var played = Yaml.Read("tests/Architecture.Tests/Deploy/outages.yml")[0]["tests"]
            .Items.Where(t => t["promql_expr_test"].Items.Any(e => e["exp_samples"].Items.Any()))
            .Select(t => t["name"].Text)
            .ToHashSet();
        var alerts = Directory
            .EnumerateFiles(Path.Combine(Source.Root, "deploy/prometheus/rules"), "*.yml")
            .SelectMany(Yaml.Read)
            .SelectMany(d => d.All("alert"))
            .Select(a => a.Text);

        Assert.Equal(alerts.ToHashSet(), played);
    }

    /// <summary>Queries no data: only the engine's acceptance of the expression counts.</summary>
    [InstalledFact("promtool")]
    public void Prometheus_understands_every_panel()
    {
        var asked = new StringBuilder("evaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series: []\n    promql_expr_test:\n");
        var panels = 0;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Source.Root, "deploy/grafana/dashboards"), "*.json"))
        {
            using var dashboard = JsonDocument.Parse(File.ReadAllText(file));
            foreach (
                var target in dashboard
                    .RootElement.GetProperty("panels")
                    .EnumerateArray()
                    .Where(p => p.TryGetProperty("targets", out _))
                    .SelectMany(p => p.GetProperty("targets").EnumerateArray())
            )
            {
                var expression = target
                    .GetProperty("expr")
                    .GetString()!
                    .Replace("$__rate_interval", "1m", StringComparison.Ordinal)
                    .Replace("$host", ".*", StringComparison.Ordinal);
                asked
                    .Append("      - { expr: ")
                    .Append(JsonSerializer.Serialize(expression))
                    .Append(", eval_time: 1m, exp_samples: [] }\n");
                panels++;
            }
        }

        Assert.True(panels > 20);
        Play(asked.ToString());
    }

    /// <summary>Grafana draws panels with the same number or place over each other.</summary>
    [Fact]
    public void Panels_have_numbers_and_places_of_their_own()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Source.Root, "deploy/grafana/dashboards"), "*.json"))
        {
            using var dashboard = JsonDocument.Parse(File.ReadAllText(file));
            var panels = dashboard
                .RootElement.GetProperty("panels")
                .EnumerateArray()
                .Select(p => (Id: p.GetProperty("id").GetInt32(), At: p.GetProperty("gridPos")))
                .ToList();
            var cells = panels
                .SelectMany(p =>
                    from x in Enumerable.Range(p.At.GetProperty("x").GetInt32(), p.At.GetProperty("w").GetInt32())
                    from y in Enumerable.Range(p.At.GetProperty("y").GetInt32(), p.At.GetProperty("h").GetInt32())
                    select (x, y)
                )
                .ToList();

            Assert.Equal(panels.Count, panels.Select(p => p.Id).Distinct().Count());
            Assert.Equal(cells.Count, cells.Distinct().Count());
        }
    }

    private static string Outages => Path.Combine(Source.Root, "tests/Architecture.Tests/Deploy/outages.yml");

    private static void Play(string scenarios)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, scenarios);
            using var promtool = Process.Start(
                new ProcessStartInfo("promtool", ["test", "rules", file]) { RedirectStandardOutput = true, RedirectStandardError = true }
            )!;
            var said = promtool.StandardError.ReadToEndAsync();
            var output = promtool.StandardOutput.ReadToEnd();
            promtool.WaitForExit();
            Assert.True(promtool.ExitCode == 0, output + said.Result);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
