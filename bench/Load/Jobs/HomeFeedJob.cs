namespace Bff.Bench.Load.Jobs;

/// <summary>Compares the home feed, which composes four parallel calls without a cache, with the same four calls alone.</summary>
internal static class HomeFeedJob
{
    private const int ModestRate = 500;

    /// <summary>
    /// Recommendations are otherwise kept per caller. The timeouts of half a second are longer here: on a machine that does other work too,
    /// one part in ten thousand is late, and the run would be refused for it.
    /// </summary>
    public static readonly string[] NothingCached =
    [
        "Composition:home-feed:recommendations:Fresh=00:00:00",
        "Composition:home-feed:recommendations:Stale=00:00:00",
        "Composition:home-feed:user:Timeout=00:00:02",
        "Composition:home-feed:notifications:Timeout=00:00:02",
        "Upstreams:users:Timeout=00:00:02",
        "Upstreams:notifications:Timeout=00:00:02",
        "Upstreams:orders:Timeout=00:00:02",
        "Composition:home-feed:orders:Timeout=00:00:02",
        "Composition:home-feed:recommendations:Timeout=00:00:02",
    ];

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await using var reference = await fleet.Reference("composition", "/home-feed", cancellation);
        await using var leased = await fleet.Gateway("gateway-home-leased", "Leased", NothingCached, cancellation);
        await using var exact = await fleet.Gateway("gateway-home-exact", "Exact", NothingCached, cancellation);
        await using var other = options.Compare is { } variable
            ? await fleet.Gateway("gateway-home-compared", "Leased", NothingCached, cancellation, variable: variable)
            : null;
        await using var before = await fleet.Before(options, ["Leased"], NothingCached, cancellation);
        Subject[] subjects =
        [
            new("hand-written composition", reference, BareFeed(fleet)),
            new("gateway, Leased", leased, Feed(fleet)),
            new("gateway, Exact", exact, Feed(fleet)),
            .. other is null ? (Subject[])[] : [new($"gateway, Leased, {options.Compare}", other, Feed(fleet))],
            .. before.Select(gateway => new Subject(gateway.Name, gateway, Feed(fleet))),
        ];
        report.Table(
            "Home feed, four parts, nothing cached, at saturation (64 connections)",
            await Rounds.Saturated(subjects, options, cancellation)
        );
        report.Table($"Home feed, {ModestRate} requests/s", await Rounds.Paced(subjects, ModestRate, options, cancellation));
    }

    /// <summary>Returns the target for the reference, which does not report missing parts.</summary>
    public static Target BareFeed(Fleet fleet) => Feed(fleet) with { Expected = "\"unread\":3" };

    /// <summary>Returns a target that expects a feed with all parts.</summary>
    public static Target Feed(Fleet fleet) => new("/home-feed", "\"servicesCalled\":4,\"servicesSucceeded\":4", fleet.Tokens);
}
