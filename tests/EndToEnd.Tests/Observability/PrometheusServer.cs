using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Observability;

/// <summary>
/// Runs the machine's Prometheus with the shipped rules, in which a minute lasts a second: only their windows and waits change. It scrapes
/// the page of a collector.
/// </summary>
internal sealed partial class PrometheusServer : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-prometheus-").FullName;
    private readonly HttpClient _http;
    private readonly Process _process;

    public PrometheusServer(string collector)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "rules"));
        foreach (var file in Directory.EnumerateFiles(Checkout.At("deploy", "prometheus", "rules")))
        {
            File.WriteAllText(Path.Combine(_folder, "rules", Path.GetFileName(file)), SixtyTimesFaster(File.ReadAllText(file)));
        }

        File.WriteAllText(
            Path.Combine(_folder, "prometheus.yml"),
            $$"""
            global: { scrape_interval: 500ms, evaluation_interval: 500ms }
            rule_files: [ {{_folder}}/rules/*.yml ]
            scrape_configs: [ { job_name: collector, honor_labels: true, static_configs: [ { targets: [ "{{new Uri(
                collector
            ).Authority}}" ] } ] } ]
            """
        );
        var port = FreePort.Next();
        _process = Process.Start(
            new ProcessStartInfo(
                "prometheus",
                [
                    $"--config.file={_folder}/prometheus.yml",
                    $"--storage.tsdb.path={_folder}/data",
                    $"--web.listen-address=127.0.0.1:{port}",
                    "--log.level=error",
                ]
            )
        )!;
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = GatewayProcess.WaitLimit };
    }

    private static string SixtyTimesFaster(string expression) =>
        Minutes()
            .Replace(
                expression
                    .Replace("1h", "60m", StringComparison.Ordinal)
                    .Replace("$__rate_interval", "5m", StringComparison.Ordinal)
                    .Replace("$host", ".*", StringComparison.Ordinal),
                "$1s"
            );

    /// <summary>Returns the number of series of an expression; zero while Prometheus does not answer.</summary>
    public async Task<int> Series(string expression) =>
        (await Ask($"/api/v1/query?query={Uri.EscapeDataString(SixtyTimesFaster(expression))}"))?["result"]!.AsArray().Count ?? 0;

    /// <summary>Returns the firing alerts, each with its gateway.</summary>
    public async Task<HashSet<string>> Firing() =>
        [
            .. ((await Ask("/api/v1/alerts"))?["alerts"]!.AsArray() ?? [])
                .Where(a => (string?)a!["state"] == "firing")
                .Select(a => $"{a!["labels"]!["alertname"]} {a["labels"]!["job"]}"),
        ];

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<JsonNode?> Ask(string path)
    {
        try
        {
            using var answer = await _http.GetAsync(path);
            var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            Assert.True(
                answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable,
                $"{Uri.UnescapeDataString(path)}: {body}"
            );
            return body["data"];
        }
        catch (Exception starting) when (starting is HttpRequestException or System.Text.Json.JsonException && !_process.HasExited)
        {
            return null;
        }
    }

    [GeneratedRegex(@"(?<=\[|for: )(\d+)m\b")]
    private static partial Regex Minutes();
}
