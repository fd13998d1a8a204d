namespace Bff.Bench.Load.Jobs;

/// <summary>Resident memory over ten minutes in which bare YARP and the gateway are asked at once, as fast as both can answer.</summary>
internal static class MemoryJob
{
    private const int Minutes = 10;

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await using var yarp = await fleet.Reference("yarp", "/catalogue/products", cancellation);
        await using var gateway = await fleet.Gateway("gateway-memory", "Leased", [], cancellation);
        var (bare, own, requests) = (new List<double> { yarp.Mebibytes }, new List<double> { gateway.Mebibytes }, 0L);
        for (var minute = 1; minute <= Minutes; minute++)
        {
            var traffic = await Task.WhenAll(
                Wrk.Run(yarp, PassThroughJob.Products(fleet), 60, cancellation), Wrk.Run(gateway, PassThroughJob.Products(fleet), 60, cancellation));
            requests += traffic[1].Requests;
            bare.Add(yarp.Mebibytes);
            own.Add(gateway.Mebibytes);
            Console.Error.WriteLine($"minute {minute}: {yarp.Mebibytes:0} and {gateway.Mebibytes:0} MiB after {requests} requests");
        }

        string[] Row(string name, List<double> samples) => [name, .. samples.Select(s => Statistics.Text([s], "0"))];
        report.Table(
            "Resident memory, MiB", $"Before and after each of ten minutes; the gateway served {requests} requests. At the end {own[^1] / bare[^1]:0.00} × bare YARP.",
            ["", "0", .. Enumerable.Range(1, Minutes).Select(m => m.ToString(System.Globalization.CultureInfo.InvariantCulture))], [Row("bare YARP", bare), Row("gateway, Leased", own)]);
    }
}
