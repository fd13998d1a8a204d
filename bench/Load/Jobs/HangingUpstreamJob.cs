namespace Bff.Bench.Load.Jobs;

/// <summary>Measures what a hanging service costs the routes that do not use it.</summary>
internal static class HangingUpstreamJob
{
    private const int Rate = 300,
        FeedRate = 50,
        HangsFor = 60_000;

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await using var gateway = await fleet.Gateway("gateway-hanging", "Leased", HomeFeedJob.NothingCached, cancellation);
        var degraded = HomeFeedJob.Feed(fleet) with { Expected = "\"unread\":3" };
        await Rounds.Saturated(
            [new("pass-through", gateway, PassThroughJob.Products(fleet)), new("home feed", gateway, degraded)],
            options with
            {
                Rounds = 1,
                Requests = 1000,
            },
            cancellation
        );

        var (well, hanging) = (new List<Traffic>(), new List<Traffic>());
        for (var round = 0; round < options.Rounds; round++)
        {
            well.Add(await Both());
            await fleet.Delay("recommendations", HangsFor, cancellation);
            try
            {
                hanging.Add(await Both());
            }
            finally
            {
                await fleet.Delay("recommendations", 0, CancellationToken.None);
            }
        }

        string[] Row(string name, List<Traffic> own) =>
            [
                name,
                Statistics.Text(own.Select(t => t.P50), "0.00"),
                Statistics.Text(own.Select(t => t.P99), "0.00"),
                Statistics.Text(own.Zip(well, (a, b) => a.P99 / b.P99), "0.00"),
            ];
        report.Table(
            "One service hangs",
            $"Latency of a pass-through route at {Rate} requests/s that does not use recommendations, beside {FeedRate} home feeds/s that do.",
            ["", "p50 ms", "p99 ms", "p99 ×"],
            [Row("all services well", well), Row("recommendations hang", hanging)]
        );

        async Task<Traffic> Both()
        {
            var feeds = new Pacer(gateway, degraded, FeedRate, options.Seconds, 64).Run(cancellation);
            var other = await new Pacer(gateway, PassThroughJob.Products(fleet), Rate, options.Seconds).Run(cancellation);
            await feeds;
            return other.Traffic;
        }
    }
}
