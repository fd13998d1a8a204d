namespace Bff.Bench.Load.Jobs;

/// <summary>
/// Compares one GET through bare YARP, YARP with stock parts, and the gateway with everything on, at saturation and at a modest rate.
/// </summary>
internal static class PassThroughJob
{
    private const int ModestRate = 1000;

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await using var yarp = await fleet.Reference("yarp", "/catalogue/products", cancellation);
        await using var stock = await fleet.Reference("stock", "/catalogue/products", cancellation);
        await using var leased = await fleet.Gateway("gateway-leased", "Leased", [], cancellation);
        await using var exact = await fleet.Gateway("gateway-exact", "Exact", [], cancellation);
        await using var other = options.Compare is { } variable
            ? await fleet.Gateway("gateway-compared", "Leased", [], cancellation, variable: variable)
            : null;
        await using var before = await fleet.Before(options, ["Leased", "Exact"], [], cancellation);
        Subject[] subjects =
        [
            new("bare YARP", yarp, Products(fleet)),
            new("YARP, stock parts", stock, Products(fleet)),
            new("gateway, Leased", leased, Products(fleet)),
            new("gateway, Exact", exact, Products(fleet)),
            .. other is null ? (Subject[])[] : [new($"gateway, Leased, {options.Compare}", other, Products(fleet))],
            .. before.Select(gateway => new Subject(gateway.Name, gateway, Products(fleet))),
        ];
        report.Table("Pass-through of one GET, at saturation (64 connections)", await Rounds.Saturated(subjects, options, cancellation));
        report.Table($"Pass-through of one GET, {ModestRate} requests/s", await Rounds.Paced(subjects, ModestRate, options, cancellation));
    }

    public static Target Products(Fleet fleet) => new("/catalogue/products", "\"total\":240", fleet.Tokens);
}
