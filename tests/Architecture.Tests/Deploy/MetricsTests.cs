using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Architecture.Tests.Deploy;

/// <summary>Dashboards and alerts query what the gateways export.</summary>
public sealed partial class MetricsTests
{
    /// <summary>Metrics of the framework (learn.microsoft.com, built-in metrics), with the suffixes of their kinds and units.</summary>
    private static readonly string[] Framework =
    [
        .. Histogram("http_server_request_duration_seconds"),
        .. Histogram("http_client_request_duration_seconds"),
        "http_server_active_requests",
        "dotnet_process_cpu_time_seconds_total",
        "dotnet_process_memory_working_set_bytes",
    ];

    public static TheoryData<string> Questions => new(Dashboards().Concat(Rules()));

    [Theory]
    [MemberData(nameof(Questions))]
    public void Every_queried_metric_exists(string file)
    {
        var asked = Expressions(file)
            .SelectMany(e => MetricName().Matches(Strings().Replace(e, "")).Select(m => m.Value))
            .Distinct()
            .ToList();

        Assert.NotEmpty(asked);
        Assert.Empty(asked.Except(Framework).Except(Own()));
    }

    /// <summary>
    /// Our own metrics have the attributes that docs/operations.md lists (another test compares the page with what a collector receives);
    /// the framework's metrics have their standard attributes.
    /// </summary>
    [Theory]
    [MemberData(nameof(Questions))]
    public void Every_queried_label_belongs_to_its_metric(string file)
    {
        var attributes = Rows(MetricRow())
            .SelectMany(m =>
                Quoted()
                    .Matches(m.Groups["names"].Value)
                    .Select(n =>
                        (
                            Name: n.Groups[1].Value.Replace('.', '_'),
                            Labels: Word().Matches(m.Groups["by"].Value).Select(w => w.Value).ToList()
                        )
                    )
            )
            .ToDictionary(m => m.Name, m => m.Labels, StringComparer.Ordinal);
        string[] always =
        [
            "job",
            "instance",
            "le",
            "http_route",
            "http_request_method",
            "http_response_status_code",
            "error_type",
            "server_address",
            "server_port",
        ];
        var wrong = new List<string>();
        foreach (var expression in Expressions(file))
        {
            foreach (Match selector in Selector().Matches(expression))
            {
                var known =
                    attributes.FirstOrDefault(a => selector.Groups["metric"].Value.StartsWith(a.Key, StringComparison.Ordinal)).Value ?? [];
                wrong.AddRange(
                    Label()
                        .Matches(selector.Groups["labels"].Value)
                        .Select(l => l.Groups[1].Value)
                        .Except(known)
                        .Except(always)
                        .Select(l => $"{selector.Groups["metric"].Value}: {l}")
                );
            }

            var asked = attributes.Where(a => expression.Contains(a.Key, StringComparison.Ordinal)).SelectMany(a => a.Value).ToList();
            wrong.AddRange(
                Grouping()
                    .Matches(expression)
                    .SelectMany(g => Word().Matches(g.Groups[1].Value).Select(w => w.Value))
                    .Except(asked)
                    .Except(always)
                    .Select(l => $"by {l}: {expression}")
            );
        }

        Assert.NotEmpty(attributes);
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_meter_is_exported()
    {
        var exported = (string[])
            Type.GetType("Bff.Requests.Instruments, Bff.Shared", throwOnError: true)!
                .GetField("Meters", BindingFlags.Public | BindingFlags.Static)!
                .GetValue(null)!;
        var pattern = new Regex(
            $"^({string.Join('|', exported.Select(e => Regex.Escape(e).Replace("\\*", ".*", StringComparison.Ordinal)))})$"
        );

        var meters = Source
            .Files("src")
            .SelectMany(f => MeterName().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value))
            .Distinct()
            .ToList();

        Assert.Contains("Bff", meters);
        Assert.Empty(meters.Where(m => !pattern.IsMatch(m)).ToList());
    }

    [Fact]
    public void Every_histogram_of_seconds_has_buckets_of_its_own() =>
        Assert.Empty(Source.Files("src").Where(f => SecondsWithoutBuckets().IsMatch(File.ReadAllText(f))).ToList());

    /// <summary>An expression over all gateways cannot tell that one of them is silent.</summary>
    [Fact]
    public void Every_gateway_has_an_alert_for_its_silence()
    {
        var missed = Rules()
            .SelectMany(Yaml.Read)
            .SelectMany(d => d.All("rules"))
            .SelectMany(r => r.Items)
            .Where(r => r["alert"].Text == "GatewaySilent")
            .Select(r => r["expr"].Text)
            .ToList();

        Assert.Equal(
            Source.Gateways.Select(g => g.Host).Select(h => $"absent(dotnet_process_memory_working_set_bytes{{job=\"{h}\"}})").Order(),
            missed.Order()
        );
    }

    /// <summary>
    /// A collector lists an instance for a while after its last export; the time that an alert promises counts from that export.
    /// </summary>
    [Fact]
    public void The_alert_for_a_silent_gateway_fires_after_the_time_that_it_states()
    {
        var expiration = Yaml.Read("deploy/collector/config.yaml")[0]["exporters.prometheus.metric_expiration"].Text;
        var rules = Rules()
            .SelectMany(Yaml.Read)
            .SelectMany(d => d.All("rules"))
            .SelectMany(r => r.Items)
            .Where(r => r["alert"].Text == "GatewaySilent")
            .ToList();

        Assert.All(rules, r => Assert.Equal(5, Minutes(expiration) + Minutes(r["for"].Text)));
        Assert.All(rules, r => Assert.Contains("five minutes", r["annotations.summary"].Text, StringComparison.Ordinal));

        static int Minutes(string text) => int.Parse(text.TrimEnd('m'), System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Every_alert_has_its_line_in_the_runbook()
    {
        var alerts = Rules().SelectMany(Yaml.Read).SelectMany(d => d.All("alert")).Select(a => a.Text).Distinct().ToList();
        var lines = Rows(RunbookRow()).Select(m => m.Groups[1].Value).ToList();

        Assert.NotEmpty(alerts);
        Assert.Equal(alerts.Order(), lines.Order());
    }

    [Fact]
    public void Operations_lists_every_metric_of_our_own_and_no_other()
    {
        var listed = Rows(MetricRow()).SelectMany(m => Quoted().Matches(m.Groups["names"].Value).Select(n => n.Groups[1].Value));

        Assert.Equal(
            Source.Files("src").SelectMany(f => Instrument().Matches(File.ReadAllText(f)).Select(i => i.Groups["name"].Value)).Order(),
            listed.Where(n => n.StartsWith("bff.", StringComparison.Ordinal)).Order()
        );
    }

    [Fact]
    public void Dashboards_show_every_metric_of_our_own()
    {
        var shown = string.Join('\n', Dashboards().SelectMany(Expressions).Concat(Rules().SelectMany(Expressions)));

        Assert.Empty(OwnNames().Where(n => !shown.Contains(n, StringComparison.Ordinal)).ToList());
    }

    /// <summary>Returns the matching rows of the tables of the operations page.</summary>
    private static IEnumerable<Match> Rows(Regex row) =>
        File.ReadLines(Path.Combine(Source.Root, "docs/operations.md")).Select(l => row.Match(l)).Where(m => m.Success);

    private static IEnumerable<string> Rules() =>
        Directory
            .EnumerateFiles(Path.Combine(Source.Root, "deploy/prometheus/rules"), "*.yml")
            .Select(f => Path.GetRelativePath(Source.Root, f));

    private static IEnumerable<string> Dashboards() =>
        Directory
            .EnumerateFiles(Path.Combine(Source.Root, "deploy/grafana/dashboards"), "*.json")
            .Select(f => Path.GetRelativePath(Source.Root, f));

    private static IEnumerable<string> Expressions(string file)
    {
        if (file.EndsWith(".yml", StringComparison.Ordinal))
        {
            return Yaml.Read(file).SelectMany(d => d.All("expr")).Select(e => e.Text);
        }

        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Source.Root, file)));
        return
        [
            .. dashboard
                .RootElement.GetProperty("panels")
                .EnumerateArray()
                .SelectMany(p => p.TryGetProperty("targets", out var targets) ? targets.EnumerateArray().ToArray() : [])
                .Select(t => t.GetProperty("expr").GetString()!),
        ];
    }

    /// <summary>
    /// Returns our metrics as the collector's Prometheus exporter names them: dots become underscores, a unit in braces is dropped, and a
    /// counter ends in "total".
    /// </summary>
    private static IEnumerable<string> Own() =>
        Instruments()
            .SelectMany(i =>
                i.Kind switch
                {
                    "Histogram" => Histogram(i.Name),
                    "Counter" => [i.Name + "_total"],
                    _ => [i.Name],
                }
            );

    private static IEnumerable<string> OwnNames() => Instruments().Select(i => i.Name);

    private static IEnumerable<(string Kind, string Name)> Instruments() =>
        from file in Source.Files("src")
        from instrument in Instrument().Matches(File.ReadAllText(file))
        let unit = instrument.Groups["unit"].Value switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        }
        select (instrument.Groups["kind"].Value, instrument.Groups["name"].Value.Replace('.', '_') + unit);

    private static string[] Histogram(string name) => [name + "_bucket", name + "_count", name + "_sum"];

    [GeneratedRegex(@"\b(?:http|bff|dotnet|kestrel|aspnetcore|signalr)_[a-z0-9_]+(?=[\s{\[)]|$)")]
    private static partial Regex MetricName();

    [GeneratedRegex(@"^\| (?<names>`(?:http|bff)\.[^|]+) \|(?<by>[^|]*)\|")]
    private static partial Regex MetricRow();

    [GeneratedRegex("^\\| `([A-Z][A-Za-z]+)` \\|")]
    private static partial Regex RunbookRow();

    [GeneratedRegex("`([a-z._]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"[a-z_]+")]
    private static partial Regex Word();

    [GeneratedRegex(@"(?<metric>\b(?:http|bff)_[a-z0-9_]+)\{(?<labels>[^}]*)\}")]
    private static partial Regex Selector();

    [GeneratedRegex(@"([a-z_]+)\s*(?:=~|!=|!~|=)")]
    private static partial Regex Label();

    [GeneratedRegex(@"(?:by|on|without) ?\(([^)]*)\)")]
    private static partial Regex Grouping();

    /// <summary>Matches label values and the label lists of <c>by (...)</c>, which are not metrics.</summary>
    [GeneratedRegex(@"\{[^}]*\}|by \([^)]*\)")]
    private static partial Regex Strings();

    [GeneratedRegex(
        @"Create(?:Observable)?(?<kind>Histogram|Counter|UpDownCounter|Gauge)(?:<\w+>)?\(\s*""(?<name>bff\.[a-z.]+)""(?:,\s*""(?<unit>[^""]*)"")?"
    )]
    private static partial Regex Instrument();

    [GeneratedRegex(@"(?:Meter _?[mM]eter(?: { get; })? = new|meters\.Create|new Meter)\(""([^""]+)""")]
    private static partial Regex MeterName();

    [GeneratedRegex(@"CreateHistogram<double>\(\s*""[^""]+"",\s*""s""(?:(?!advice:)[^;])*;")]
    private static partial Regex SecondsWithoutBuckets();
}
