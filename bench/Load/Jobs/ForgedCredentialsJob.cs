using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Bff.Callers.ApiKeys;

namespace Bff.Bench.Load.Jobs;

/// <summary>
/// Sends ten thousand forged tokens, then ten thousand forged keys, from one address. Measures how many are verified, how many are refused
/// unverified, and what a good caller at the same address notices.
/// </summary>
internal static class ForgedCredentialsJob
{
    private const int Forged = 10_000,
        Attackers = 20,
        Rate = 50;

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        var rows = new List<string[]>();
        await using (var mobile = await fleet.Gateway("gateway-forged-tokens", "Leased", [], cancellation))
        {
            var good = fleet.Tokens[0];
            rows.AddRange(
                await Attack(
                    "tokens",
                    mobile,
                    PassThroughJob.Products(fleet) with
                    {
                        Tokens = [good],
                    },
                    () => ForgedToken(good),
                    options,
                    cancellation
                )
            );
        }

        var (partner, target) = await GrowthJob.Keys(fleet, 10, 10, cancellation);
        await using (partner)
        {
            rows.AddRange(
                await Attack(
                    "keys",
                    partner,
                    target with
                    {
                        Tokens = [target.Tokens[0]],
                    },
                    () => ApiKeyFormat.New(isTest: false),
                    options,
                    cancellation
                )
            );
        }

        report.Table(
            "Forged credentials from one address",
            $"{Forged} forged credentials over {Attackers} connections, as fast as they were refused, beside {Rate} requests/s of a good caller from the same address, none of which was refused.",
            ["", "verified (401)", "refused unverified (429)", "took s", "good caller p50 ms", "p99 ms", "slowest ms"],
            [.. rows]
        );
    }

    private static async Task<IEnumerable<string[]>> Attack(
        string what,
        Server server,
        Target good,
        Func<string> forge,
        LoadOptions options,
        CancellationToken cancellation
    )
    {
        // The gateway knows the good caller before the others start.
        await Rounds.Saturated([new(what, server, good)], options with { Rounds = 1, Requests = 2000 }, cancellation);
        var calm = await new Pacer(server, good, Rate, options.Seconds).Run(cancellation);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var (verified, refused, seconds) = (0, 0, 0.0);
        var attack = Task.Run(
            async () =>
            {
                var began = TimeProvider.System.GetTimestamp();
                var left = Forged;
                using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = Attackers });
                await Task.WhenAll(
                    Enumerable
                        .Range(0, Attackers)
                        .Select(async _ =>
                        {
                            while (Interlocked.Decrement(ref left) >= 0)
                            {
                                using var request = new HttpRequestMessage(HttpMethod.Get, server.Address + good.Path);
                                request.Headers.Authorization = new("Bearer", forge());
                                using var answer = await http.SendAsync(request, over.Token);
                                _ = answer.StatusCode switch
                                {
                                    HttpStatusCode.Unauthorized => Interlocked.Increment(ref verified),
                                    HttpStatusCode.TooManyRequests => Interlocked.Increment(ref refused),
                                    var other => throw new InvalidRunException($"a forged credential was answered with {(int)other}"),
                                };
                            }
                        })
                );
                seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
            },
            cancellation
        );
        var beside = await new Pacer(server, good, Rate, options.Seconds).Run(cancellation);
        await attack;
        return
        [
            Row($"{what}, alone", "", "", "", calm),
            Row($"{what}, under attack", Count(verified), Count(refused), seconds.ToString("0.0", CultureInfo.InvariantCulture), beside),
        ];
    }

    private static string[] Row(string name, string verified, string refused, string seconds, PacedTraffic good) =>
        [
            name,
            verified,
            refused,
            seconds,
            good.Traffic.P50.ToString("0.00", CultureInfo.InvariantCulture),
            good.Traffic.P99.ToString("0.00", CultureInfo.InvariantCulture),
            good.Worst.ToString("0.0", CultureInfo.InvariantCulture),
        ];

    private static string Count(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Returns a well-formed token that names a known key but is not signed with its private half.</summary>
    private static string ForgedToken(string good) =>
        good[..(good.LastIndexOf('.') + 1)]
        + Convert.ToBase64String(RandomNumberGenerator.GetBytes(256)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
