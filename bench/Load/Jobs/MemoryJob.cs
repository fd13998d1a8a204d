using System.Globalization;

namespace Bff.Bench.Load.Jobs;

/// <summary>
/// Measures resident memory over ten minutes in which bare YARP and each of the gateways are called at once, as fast as all can answer.
/// </summary>
internal static class MemoryJob
{
    private const int Minutes = 10;

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        var products = PassThroughJob.Products(fleet);
        await using var yarp = await fleet.Reference("yarp", "/catalogue/products", cancellation);
        await using var mobile = await fleet.Gateway("mobile-memory", "Leased", [], cancellation);
        await using var web = await fleet.Web("web-memory", cancellation);
        var keys = await GrowthJob.Keys(fleet, 100, 100, cancellation);
        await using var partner = keys.Server;
        Subject[] subjects =
        [
            new("bare YARP", yarp, products),
            new("MobileBff", mobile, products),
            new("WebBff", web, products),
            new("PartnerBff", partner, keys.Target),
        ];
        var requests = new long[subjects.Length];
        var mebibytes = subjects.Select(s => new List<double> { s.Server.Mebibytes }).ToArray();
        for (var minute = 1; minute <= Minutes; minute++)
        {
            var traffic = await Task.WhenAll(subjects.Select(s => Wrk.Run(s.Server, s.Target, 60, cancellation)));
            for (var i = 0; i < subjects.Length; i++)
            {
                requests[i] += traffic[i].Requests;
                mebibytes[i].Add(subjects[i].Server.Mebibytes);
            }

            Console.Error.WriteLine(
                $"minute {minute}: {string.Join(", ", mebibytes.Select(m => m[^1].ToString("0", CultureInfo.InvariantCulture)))} MiB"
            );
        }

        string[] Row(int i) =>
            [
                subjects[i].Name,
                .. mebibytes[i].Select(s => Statistics.Text([s], "0")),
                Statistics.Text([mebibytes[i][^1] / mebibytes[0][^1]], "0.00"),
                requests[i].ToString(CultureInfo.InvariantCulture),
            ];
        report.Table(
            "Resident memory, MiB",
            "Before and after each of ten minutes.",
            ["", "0", .. Enumerable.Range(1, Minutes).Select(m => m.ToString(CultureInfo.InvariantCulture)), "× bare YARP", "requests"],
            [.. Enumerable.Range(0, subjects.Length).Select(Row)]
        );
    }
}
