namespace Bff.Bench.Load.Jobs;

/// <summary>Measures what a tenant notices while another tenant sends ten times its limit.</summary>
internal static class NoisyTenantJob
{
    private const int Limit = 100,
        Rate = 200;

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await using var gateway = await fleet.Gateway(
            "gateway-tenants",
            "Leased",
            [
                $"Tenants:greedy:RateLimit:RequestsPerMinute={Limit * 60}",
                $"Tenants:greedy:RateLimit:Burst={Limit}",
                "Tenants:modest:Priority=Normal",
            ],
            cancellation
        );
        var greedy = PassThroughJob.Products(fleet) with
        {
            Tokens = await fleet.TokensOf(Enumerable.Range(0, 16).Select(i => $"g-{i}"), "greedy", cancellation),
        };
        var modest = PassThroughJob.Products(fleet) with
        {
            Tokens = await fleet.TokensOf(Enumerable.Range(0, 16).Select(i => $"m-{i}"), "modest", cancellation),
        };
        await Rounds.Saturated([new("pass-through", gateway, modest)], options with { Rounds = 1, Requests = 1000 }, cancellation);

        var (alone, beside, admitted) = (new List<Traffic>(), new List<Traffic>(), new List<double>());
        for (var round = 0; round < options.Rounds; round++)
        {
            alone.Add((await new Pacer(gateway, modest, Rate, options.Seconds).Run(cancellation)).Traffic);
            var noise = new Pacer(gateway, greedy, Limit * 10, options.Seconds) { RefusalsAreFine = true }.Run(cancellation);
            beside.Add((await new Pacer(gateway, modest, Rate, options.Seconds).Run(cancellation)).Traffic);
            admitted.Add((double)(await noise).Good / options.Seconds);
        }

        string[] Row(string name, List<Traffic> own) =>
            [
                name,
                Statistics.Text(own.Select(t => t.P50), "0.00"),
                Statistics.Text(own.Select(t => t.P99), "0.00"),
                Statistics.Text(own.Zip(alone, (a, b) => a.P99 / b.P99), "0.00"),
            ];
        report.Table(
            "A tenant at ten times its limit",
            $"Latency of one tenant's {Rate} requests/s, alone and beside another tenant that may send {Limit}/s (burst {Limit}) and sends {Limit * 10}/s; of those {Statistics.Text(admitted, "0")}/s were admitted.",
            ["", "p50 ms", "p99 ms", "p99 ×"],
            [Row("alone", alone), Row("beside the greedy tenant", beside)]
        );
    }
}
