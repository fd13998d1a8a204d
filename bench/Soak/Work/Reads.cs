namespace Bff.Bench.Soak.Work;

/// <summary>Sends the usual reads of clients, so that everything else happens under load.</summary>
internal sealed class Reads(World world, Sender sender)
{
    private static readonly string[] Mobile = ["/home-feed", "/products/p-1", "/orders", "/search?q=lamp", "/me"];
    private static readonly string[] Web = ["/api/dashboard", "/api/products", "/api/orders", "/api/products/p-2"];
    private static readonly string[] Partner = ["/v1/orders", "/v1/products", "/v1/account", "/v2/products"];
    private readonly string[] _tokens = [.. Enumerable.Range(1030, 20).Select(n => world.Token($"u-{n}"))];

    public Task Run(double rate, CancellationToken enough) =>
        Task.WhenAll(
            Pace.Every(10 * rate, 16, () => Read(world.Mobile, Mobile, _tokens[Random.Shared.Next(_tokens.Length)], null), enough),
            Pace.Every(8 * rate, 16, () => Read(world.Web, Web, _tokens[Random.Shared.Next(_tokens.Length)], null), enough),
            Pace.Every(8 * rate, 16, () => Read(world.Partner, Partner, world.Key, "acme"), enough)
        );

    private async Task Read(Hosts.Fleet fleet, string[] paths, string credential, string? tenant)
    {
        if (fleet.Any() is { } instance)
        {
            await sender.Send(
                instance,
                Sender.Request(HttpMethod.Get, paths[Random.Shared.Next(paths.Length)], credential),
                tenant: tenant
            );
        }
    }
}
