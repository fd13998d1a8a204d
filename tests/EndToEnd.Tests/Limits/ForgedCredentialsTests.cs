using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bff.TestKit;
using Xunit.Abstractions;

namespace Bff.EndToEnd.Tests.Limits;

/// <summary>
/// Sends ten thousand forged keys and ten thousand forged tokens from one address, beside a good caller. docs/security.md quotes the
/// output.
/// </summary>
public sealed class ForgedCredentialsTests(ITestOutputHelper output) : IDisposable
{
    private const int Forged = 10_000;
    private const int Connections = 16;
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private readonly RedisServer? _redis = RedisServer.IsInstalled ? RedisServer.Run() : null;

    [RedisTheory]
    [InlineData("keys", "invalid_api_key")]
    [InlineData("tokens", "invalid_token")]
    public async Task Few_forged_credentials_are_verified_and_a_good_caller_at_the_address_is_served(string kind, string refusal)
    {
        await using var surroundings = await Surroundings.StartAsync();
        var good = NewKey();
        await using var gateway = await GatewayProcess.Start(
            "PartnerBff",
            surroundings,
            GatewayProcess.NewFolder("PartnerBff"),
            ("ConnectionStrings:redis", _redis!.ConnectionString),
            ("ApiKeys:Bootstrap:acme", good),
            ("Tenants:acme:Plan", "enterprise"),
            ("Plans:enterprise:RequestsPerMinute", "1000000"),
            ("Plans:enterprise:Burst", "1000000"),
            ("FailedCredentials:PerMinute", "30"),
            ("FailedCredentials:Burst", "60")
        );
        Assert.Equal(HttpStatusCode.OK, (await Send(gateway.Client, good)).Status);
        using var stop = new CancellationTokenSource();
        var (calm, seen) = (await CallContinuously(gateway, good, 200, CancellationToken.None), new ConcurrentDictionary<string, int>());
        var caller = Task.Run(() => CallContinuously(gateway, good, int.MaxValue, stop.Token));

        var taken = Stopwatch.StartNew();
        await Task.WhenAll(
            Enumerable
                .Range(0, Connections)
                .Select(c =>
                    Task.Run(async () =>
                    {
                        using var client = gateway.NewClient();
                        for (var i = c; i < Forged; i += Connections)
                        {
                            seen.AddOrUpdate((await Send(client, kind == "keys" ? NewKey() : NewToken(i))).Code, 1, static (_, n) => n + 1);
                        }
                    })
                )
        );
        taken.Stop();
        await stop.CancelAsync();
        var felt = await caller;

        var verified = seen[refusal];
        output.WriteLine(
            $"{Forged} forged {kind} in {taken.Elapsed.TotalSeconds:0.0} s: {verified} verified, {seen["too_many_failed_credentials"]} refused unverified; "
                + $"a good caller: {felt.Count} of {felt.Count} served, p50 {Quantile(felt, 0.5):0.0} ms (alone {Quantile(calm, 0.5):0.0}), p99 {Quantile(felt, 0.99):0.0} ms (alone {Quantile(calm, 0.99):0.0})"
        );
        Assert.Equal(Forged, verified + seen["too_many_failed_credentials"]);
        Assert.InRange(verified, 60, 60 + Connections + (int)(taken.Elapsed.TotalMinutes * 30) + 1);
        Assert.NotEmpty(felt);
    }

    public void Dispose() => _redis?.Dispose();

    /// <summary>Calls without a pause, expects 200 every time, and returns the durations in milliseconds.</summary>
    private static async Task<List<double>> CallContinuously(GatewayProcess gateway, string key, int most, CancellationToken stop)
    {
        using var client = gateway.NewClient();
        var felt = new List<double>();
        while (!stop.IsCancellationRequested && felt.Count < most)
        {
            var taken = Stopwatch.StartNew();
            Assert.Equal(HttpStatusCode.OK, (await Send(client, key)).Status);
            felt.Add(taken.Elapsed.TotalMilliseconds);
        }

        return felt;
    }

    private static async Task<(HttpStatusCode Status, string Code)> Send(HttpClient client, string credential)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/account")
        {
            Headers = { Authorization = new("Bearer", credential) },
        };
        using var answer = await client.SendAsync(request);
        return (
            answer.StatusCode,
            answer.IsSuccessStatusCode ? "" : (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["code"]!
        );
    }

    private static double Quantile(List<double> felt, double share) => felt.Order().ElementAt((int)((felt.Count - 1) * share));

    /// <summary>Returns a token that looks like the provider's but has no valid signature.</summary>
    private static string NewToken(int number) =>
        string.Join(
            '.',
            Part("""{"alg":"RS256","typ":"JWT","kid":"none"}"""),
            Part($$"""{"sub":"u-{{number}}","aud":"bff"}"""),
            Convert.ToBase64String(RandomNumberGenerator.GetBytes(256)).TrimEnd('=').Replace('+', '-').Replace('/', '_')
        );

    private static string Part(string json) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(json)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <summary>Returns a key with a correct checksum (CRC-32 in base 62), so that only a look-up can tell.</summary>
    private static string NewKey()
    {
        var random = RandomNumberGenerator.GetString(Digits, 32);
        var rest = uint.MaxValue;
        foreach (var b in Encoding.ASCII.GetBytes(random))
        {
            rest ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                rest = (rest & 1) == 0 ? rest >> 1 : (rest >> 1) ^ 0xEDB88320;
            }
        }

        rest = ~rest;
        Span<char> checksum = stackalloc char[6];
        for (var i = checksum.Length - 1; i >= 0; i--)
        {
            (rest, var digit) = Math.DivRem(rest, 62);
            checksum[i] = Digits[(int)digit];
        }

        return $"pk_live_{random}{checksum}";
    }
}
