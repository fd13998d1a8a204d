using System.Globalization;

namespace Bff.Bench.Load.Jobs;

/// <summary>Measures whether a request or a start costs more with more tenants in the store.</summary>
internal static class StoredTenantsJob
{
    private const int Few = 10,
        Many = 100_000;

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await Fill(fleet, Few, cancellation);
        await Fill(fleet, Many, cancellation);
        await GrowthJob.Compare(
            "tenants in Redis",
            Few,
            Many,
            async count =>
                (
                    await Gateway(fleet, count, cancellation),
                    PassThroughJob.Products(fleet) with
                    {
                        Tokens = await GrowthJob.TokensAcross(fleet, count, cancellation),
                    }
                ),
            options,
            report,
            cancellation
        );
        await Starts(fleet, options, report, cancellation);
    }

    private static async Task Starts(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        var (few, many) = (new List<double>(), new List<double>());
        for (var round = 0; round < options.Rounds; round++)
        {
            few.Add(await Once(Few));
            many.Add(await Once(Many));
        }

        report.Table(
            $"Start with {Few} and {Many} tenants in Redis",
            "Milliseconds from the start of the process until `/health/ready` says so, which is after warm-up.",
            ["", "ms", $"× {Few} tenants"],
            [Row(Few, few), Row(Many, many)]
        );

        async Task<double> Once(int count)
        {
            await using var server = await Gateway(fleet, count, cancellation);
            return server.FirstAnswer.TotalMilliseconds;
        }

        string[] Row(int count, List<double> own) =>
            [
                string.Create(CultureInfo.InvariantCulture, $"{count} tenants"),
                Statistics.Text(own, "0"),
                Statistics.Text(own.Zip(few, (a, b) => a / b), "0.00"),
            ];
    }

    /// <summary>Writes the tenants in the gateway's own format.</summary>
    private static Task Fill(Fleet fleet, int count, CancellationToken cancellation)
    {
        IEnumerable<string[]> Commands()
        {
            yield return ["SELECT", Number(count).ToString(CultureInfo.InvariantCulture)];
            for (var i = 0; i < count; i++)
            {
                yield return ["HSET", "bff:{tenants:MobileBff}:documents", GrowthJob.Tenant(i), """{"plan":"enterprise"}"""];
                yield return ["ZADD", "bff:{tenants:MobileBff}:ids", "0", GrowthJob.Tenant(i)];
            }
        }

        return fleet.Fill(Commands(), cancellation);
    }

    private static Task<Server> Gateway(Fleet fleet, int count, CancellationToken cancellation) =>
        fleet.Gateway(
            string.Create(CultureInfo.InvariantCulture, $"gateway-{count}-stored-tenants"),
            "Leased",
            ["ConnectionStrings:redis=" + fleet.Database(Number(count))],
            cancellation
        );

    /// <summary>Returns the number of the database that has this many tenants and nothing else.</summary>
    private static int Number(int count) => count == Few ? 1 : 3;
}
