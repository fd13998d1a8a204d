using System.Globalization;

namespace Bff.Bench.Load.Jobs;

/// <summary>
/// Measures the cost of a request while a fresh process is still being compiled: home feeds in consecutive windows after it is ready.
/// </summary>
internal static class FirstMinuteJob
{
    private const int Windows = 12;
    private const int Seconds = 5;

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        var rows = new List<string[]>();
        await using (var reference = await fleet.Reference("composition", "/home-feed", cancellation))
        {
            rows.AddRange(await Rows("hand-written composition", reference, HomeFeedJob.BareFeed(fleet), cancellation));
        }

        await using (var gateway = await fleet.Gateway("gateway-first-minute", "Leased", HomeFeedJob.NothingCached, cancellation))
        {
            rows.AddRange(await Rows("gateway, Leased", gateway, HomeFeedJob.Feed(fleet), cancellation));
        }

        report.Table(
            "The first minute",
            $"Home feeds at saturation, in windows of {Seconds} s from the moment that the process is ready.",
            ["", .. Enumerable.Range(1, Windows).Select(w => string.Create(CultureInfo.InvariantCulture, $"{w * Seconds} s"))],
            rows
        );
    }

    private static async Task<string[][]> Rows(string name, Server server, Target target, CancellationToken cancellation)
    {
        var (requests, costs, sum) = (new List<string>(), new List<string>(), 0.0);
        for (var window = 0; window < Windows; window++)
        {
            var sample = await Sample.Of(server, () => Wrk.Run(server, target, Seconds, cancellation));
            sum += sample.PerSecond * Seconds;
            requests.Add(Statistics.Text([sum / 1000], "0"));
            costs.Add(Statistics.Text([sample.CpuMicros], "0"));
        }

        return
        [
            [name + ", CPU µs/request", .. costs],
            ["thousand requests so far", .. requests],
        ];
    }
}
