namespace Bff.Bench.Load.Jobs;

/// <summary>
/// Offers three times what the host can serve. Two cores that also run the client cannot offer three times their own saturation, so the
/// gateway gets 16 slots and a service that takes 20 ms: its capacity is then 800 requests/s, and the job measures how it sheds the rest.
/// </summary>
internal static class OverloadJob
{
    private const int Places = 16,
        ServiceMilliseconds = 20,
        Excess = 3;

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await using var gateway = await fleet.Gateway(
            "gateway-overload",
            "Leased",
            [$"Admission:MaxConcurrency={Places}", "Tenants:vip:Priority=High", "Tenants:rest:Priority=Normal"],
            cancellation
        );
        var vip = PassThroughJob.Products(fleet) with
        {
            Tokens = await fleet.TokensOf(Enumerable.Range(0, 16).Select(i => $"v-{i}"), "vip", cancellation),
        };
        var rest = PassThroughJob.Products(fleet) with
        {
            Tokens = await fleet.TokensOf(Enumerable.Range(0, 16).Select(i => $"r-{i}"), "rest", cancellation),
        };
        var (peaks, vips, others, goodput) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        await fleet.Delay("products", ServiceMilliseconds, cancellation);
        try
        {
            for (var round = 0; round < options.Rounds; round++)
            {
                // The peak: one connection per slot, each sending as soon as it can.
                var peak =
                    (await new Pacer(gateway, rest, 100_000, options.Seconds, Places).Run(cancellation)).Good / (double)options.Seconds;
                var offered = peak * Excess;
                var important = new Pacer(gateway, vip, offered / 6, options.Seconds, 64) { RefusalsAreFine = true };
                var usual = new Pacer(gateway, rest, offered * 5 / 6, options.Seconds, 320) { RefusalsAreFine = true };
                var both = await Task.WhenAll(important.Run(cancellation), usual.Run(cancellation));
                peaks.Add(peak);
                vips.Add(100.0 * both[0].Good / (both[0].Good + both[0].Refused));
                others.Add(100.0 * both[1].Good / (both[1].Good + both[1].Refused));
                goodput.Add(100.0 * (both[0].Good + both[1].Good) / options.Seconds / peak);
                Console.Error.WriteLine(
                    $"round {round + 1}: peak {peak:0}/s, goodput {goodput[^1]:0} %, important {vips[^1]:0} %, others {others[^1]:0} %"
                );
            }
        }
        finally
        {
            await fleet.Delay("products", 0, CancellationToken.None);
        }

        report.Table(
            "Three times saturation",
            $"A gateway with {Places} places before a service that takes {ServiceMilliseconds} ms; a sixth of the load is of a tenant with high priority.",
            ["peak requests/s", "goodput, % of the peak", "important ones served, %", "others served, %"],
            [
                [Statistics.Text(peaks, "0"), Statistics.Text(goodput, "0"), Statistics.Text(vips, "0"), Statistics.Text(others, "0")],
            ]
        );
    }
}
