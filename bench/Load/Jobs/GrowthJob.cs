using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Bff.Callers.ApiKeys;

namespace Bff.Bench.Load.Jobs;

/// <summary>Measures whether a request costs more with more tenants, routes or API keys.</summary>
internal static class GrowthJob
{
    private const string Pepper = "a pepper of the benchmark, no secret of anybody's";

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await Compare("tenants", 10, 10_000, many => Tenants(fleet, many, cancellation), options, report, cancellation);
        await Compare("routes", 10, 1_000, many => Routes(fleet, many, cancellation), options, report, cancellation);
        await Compare(
            "API keys in Redis (at most 100 in use)",
            10,
            1_000_000,
            many => Keys(fleet, many, 100, cancellation),
            options,
            report,
            cancellation
        );

        // Each key in use is used about once a second, which is as long as a lease lasts, so every request takes a new lease.
        await Compare(
            "API keys in Redis (at most 10000 in use)",
            10,
            1_000_000,
            many => Keys(fleet, many, 10_000, cancellation),
            options,
            report,
            cancellation
        );
    }

    /// <summary>Compares two gateways side by side, one of which has much more of something.</summary>
    public static async Task Compare(
        string what,
        int few,
        int many,
        Func<int, Task<(Server Server, Target Target)>> start,
        LoadOptions options,
        Report report,
        CancellationToken cancellation
    )
    {
        string Name(int count) => string.Create(CultureInfo.InvariantCulture, $"{count} {what}");
        var one = await start(few);
        await using var first = one.Server;
        var other = await start(many);
        await using var second = other.Server;
        report.Table(
            $"Pass-through with {few} and {many} {what}, Leased, at saturation",
            await Rounds.Saturated([new(Name(few), first, one.Target), new(Name(many), second, other.Target)], options, cancellation)
        );
    }

    private static async Task<(Server Server, Target Target)> Tenants(Fleet fleet, int count, CancellationToken cancellation)
    {
        var tokens = await TokensAcross(fleet, count, cancellation);
        string[] settings = [.. Enumerable.Range(0, count).Select(i => $"Tenants:{Tenant(i)}:Plan=enterprise")];
        return (
            await fleet.Gateway($"gateway-{count}-tenants", "Leased", settings, cancellation),
            PassThroughJob.Products(fleet) with
            {
                Tokens = tokens,
            }
        );
    }

    /// <summary>Returns tokens of a hundred users of different tenants, as far as there are enough tenants.</summary>
    public static async Task<IReadOnlyList<string>> TokensAcross(Fleet fleet, int tenants, CancellationToken cancellation)
    {
        var tokens = new List<string>();
        for (var user = 0; user < 100; user++)
        {
            tokens.AddRange(await fleet.TokensOf([$"u-{user}"], Tenant((int)((long)user * tenants / 100)), cancellation));
        }

        return tokens;
    }

    private static async Task<(Server Server, Target Target)> Routes(Fleet fleet, int count, CancellationToken cancellation)
    {
        string[] settings =
        [
            .. Enumerable
                .Range(0, count)
                .SelectMany(i =>
                    (string[])
                        [
                            $"ReverseProxy:Routes:r{i}:ClusterId=products",
                            $"ReverseProxy:Routes:r{i}:Match:Path=/bench/things-{i}/{{id}}",
                            $"ReverseProxy:Routes:r{i}:Metadata:Scope=api",
                        ]
                ),
        ];
        return (await fleet.Gateway($"gateway-{count}-routes", "Leased", settings, cancellation), PassThroughJob.Products(fleet));
    }

    /// <summary>Starts a partner gateway with the given number of keys in Redis.</summary>
    public static async Task<(Server Server, Target Target)> Keys(Fleet fleet, int count, int inUse, CancellationToken cancellation)
    {
        var database = Math.Min(15, count.ToString(CultureInfo.InvariantCulture).Length + (inUse / 1_000)); // One for each case.
        var keys = Enumerable.Range(0, Math.Min(count, inUse)).Select(_ => ApiKeyFormat.New(isTest: false)).ToList();
        IEnumerable<string[]> Commands()
        {
            yield return ["SELECT", database.ToString(CultureInfo.InvariantCulture)];
            for (var i = 0; i < count; i++)
            {
                var key = i < keys.Count ? keys[i] : ApiKeyFormat.New(isTest: false);
                var hash = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Pepper), Encoding.UTF8.GetBytes(key)));
                yield return
                [
                    "SET",
                    "bff:apikey:" + hash,
                    $$"""{"Id":"key_{{i}}","Tenant":"bench","Name":"bench","Hash":"{{hash}}","Prefix":"pk_live_ab","LastFour":"abcd","Scopes":["orders.read"],"CreatedAt":"2026-01-01T00:00:00+00:00"}""",
                ];
            }
        }

        await fleet.Fill(Commands(), cancellation);
        return (
            await fleet.Partner($"gateway-{count}-keys-{inUse}", database, Pepper, cancellation),
            new("/v1/shipments", "\"total\":240", keys)
        );
    }

    /// <summary>Returns a tenant's id.</summary>
    public static string Tenant(int number) => string.Create(CultureInfo.InvariantCulture, $"t-{number}");
}
