using System.Diagnostics;
using System.Net.Http.Headers;

namespace Bff.Bench.Load.Jobs;

/// <summary>
/// Measures when the client has the first useful content and when it has everything while one optional service is slow: the home feed, as a
/// plain answer and in lines, one request at a time.
/// </summary>
internal static class ProgressiveJob
{
    private const int SlowBy = 800,
        PerRound = 30;

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await using var gateway = await fleet.Gateway("gateway-progressive", "Leased", HomeFeedJob.NothingCached, cancellation);
        await using var eager = await fleet.Gateway(
            "gateway-progressive-at-once",
            "Leased",
            [.. HomeFeedJob.NothingCached, "Composition:home-feed:FirstAfter=00:00:00"],
            cancellation
        );
        (string Name, Server Server, bool InLines)[] subjects =
        [
            ("one document", gateway, false),
            ("in lines", gateway, true),
            ("in lines, `FirstAfter` 0", eager, true),
        ];
        foreach (var (_, server, inLines) in subjects)
        {
            await Round(fleet, server, inLines, 300, cancellation); // Warm-up.
        }

        var (first, last) = (subjects.Select(_ => new List<double>()).ToList(), subjects.Select(_ => new List<double>()).ToList());
        await fleet.Delay("recommendations", SlowBy, cancellation);
        try
        {
            for (var round = 0; round < options.Rounds; round++)
            {
                for (var i = 0; i < subjects.Length; i++)
                {
                    var times = await Round(fleet, subjects[i].Server, subjects[i].InLines, PerRound, cancellation);
                    first[i].Add(Statistics.Median(times.Select(t => t.First)));
                    last[i].Add(Statistics.Median(times.Select(t => t.Last)));
                }
            }
        }
        finally
        {
            await fleet.Delay("recommendations", 0, CancellationToken.None);
        }

        report.Table(
            "Progressive answers",
            $"A home feed whose recommendations take {SlowBy} ms, one request at a time, {PerRound} a round. "
                + "First: the user, and what else is there, can be read; last: all of it.",
            ["", "first ms", "last ms"],
            subjects.Select((s, i) => new[] { s.Name, Statistics.Text(first[i], "0.0"), Statistics.Text(last[i], "0.0") })
        );
    }

    private static async Task<List<(double First, double Last)>> Round(
        Fleet fleet,
        Server server,
        bool inLines,
        int count,
        CancellationToken cancellation
    )
    {
        var times = new List<(double First, double Last)>();
        for (var i = 0; i < count; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, server.Address + "/home-feed");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", fleet.Tokens[i % fleet.Tokens.Count]);
            request.Headers.Accept.ParseAdd(inLines ? "application/x-ndjson" : "application/json");
            var sent = Stopwatch.GetTimestamp();
            using var response = await Fleet.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
            var line = await reader.ReadLineAsync(cancellation) ?? "";
            var first = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
            var text = line + await reader.ReadToEndAsync(cancellation);
            times.Add((first, Stopwatch.GetElapsedTime(sent).TotalMilliseconds));
            if (
                !response.IsSuccessStatusCode
                || !line.Contains("\"user\":{", StringComparison.Ordinal)
                || !text.Contains("\"recommendations\":[", StringComparison.Ordinal)
            )
            {
                throw new InvalidRunException($"{(int)response.StatusCode}: {text}");
            }
        }

        return times;
    }
}
