namespace Bff.Bench.Load.Jobs;

/// <summary>Measures the time from the start of the process to its first answer, and to being ready (warm).</summary>
internal static class StartJob
{
    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        var (yarp, first, ready) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < options.Rounds; round++)
        {
            yarp.Add(await Once(fleet.Reference("yarp", "/catalogue/products", cancellation)));
            first.Add(await Once(fleet.Gateway("gateway-start", "Leased", [], cancellation, "/catalogue/products")));
            ready.Add(await Once(fleet.Gateway("gateway-start", "Leased", [], cancellation)));
        }

        string[] Row(string name, List<double> own) =>
            [name, Statistics.Text(own, "0"), Statistics.Text(own.Zip(yarp, (a, b) => a / b), "0.00")];
        report.Table(
            "From start to the first answer",
            "Milliseconds until a pass-through GET is answered with 200; for the gateway also until `/health/ready` says so, which is after warm-up.",
            ["", "ms", "× bare YARP"],
            [Row("bare YARP", yarp), Row("gateway, first answer", first), Row("gateway, ready", ready)]
        );
    }

    private static async Task<double> Once(Task<Server> starting)
    {
        await using var server = await starting;
        return server.FirstAnswer.TotalMilliseconds;
    }
}
