namespace Bff.Bench.Load.Jobs;

/// <summary>Compares a page whose parts are all fresh in the cache with Kestrel writing the same bytes.</summary>
internal static class ProductPageJob
{
    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await using var bytes = await fleet.Reference("bytes", "/products/p-1", cancellation);
        await using var gateway = await fleet.Gateway("gateway-product", "Leased", [], cancellation);
        Subject[] subjects =
        [
            new("Kestrel, same bytes", bytes, new("/products/p-1", "\"inStock\":true", fleet.Tokens)),
            new("gateway, Leased", gateway, new("/products/p-1", "\"servicesCalled\":4,\"servicesSucceeded\":4", fleet.Tokens)),
        ];
        report.Table(
            "Product page, all parts fresh in the cache, at saturation (64 connections)",
            await Rounds.Saturated(subjects, options, cancellation)
        );
    }
}
