namespace Bff.Bench.Load.Jobs;

/// <summary>Measures the latency that the gateway adds to a pass-through request, at 300 requests/s.</summary>
internal static class AddedLatencyJob
{
    private const int Rate = 300;

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await using var gateway = await fleet.Gateway("gateway-latency", "Leased", HomeFeedJob.NothingCached, cancellation);
        await using var yarp = await fleet.Reference("yarp", "/catalogue/products", cancellation);
        Subject[] subjects =
        [
            new("service, asked directly", fleet.Services, new("/products", "\"total\":240", fleet.Tokens)),
            new("bare YARP", yarp, PassThroughJob.Products(fleet)),
            new("gateway, pass-through", gateway, PassThroughJob.Products(fleet)),
            new("gateway, home feed", gateway, HomeFeedJob.Feed(fleet)),
        ];
        await Rounds.Saturated(subjects[1..], options with { Rounds = 1, Requests = 1000 }, cancellation); // Warm-up.
        var samples = await Rounds.Paced(subjects, Rate, options, cancellation);
        var direct = samples[subjects[0]];
        report.Table(
            $"Added latency at {Rate} requests/s",
            "Milliseconds beyond the service asked directly in the same round, by the same client.",
            ["", "p50 added", "p99 added"],
            subjects[1..].Select(s => new[] { s.Name, Added(samples[s], direct, x => x.P50), Added(samples[s], direct, x => x.P99) })
        );
    }

    private static string Added(List<Sample> own, List<Sample> direct, Func<Sample, double> figure) =>
        Statistics.Text(own.Zip(direct, (a, b) => figure(a) - figure(b)), "0.00");
}
