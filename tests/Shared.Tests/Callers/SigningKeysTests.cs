using System.Diagnostics;
using System.Net;
using Bff.Observability;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Callers;

public sealed class SigningKeysTests
{
    [Fact]
    public async Task Two_rollovers_in_a_row_are_followed_within_ten_seconds_while_unknown_kids_flood_the_gateway()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();
        using var flood = new CancellationTokenSource();
        var stranger = SigningTestKey.Rsa("stranger");
        var refused = 0;
        var flooding = Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; !flood.IsCancellationRequested; i++)
            {
                var token = stranger.Sign(issuer.Claims(), h => h["kid"] = $"unknown-{worker}-{i}");
                refused += (await host.Get(token)).Status == HttpStatusCode.Unauthorized ? 1 : 0;
            }
        })));
        var began = issuer.KeyFetches.Count;

        foreach (var kid in (string[])["second", "third"])
        {
            issuer.Rotate(kid);
            var token = issuer.Token();
            await Eventually.True(async () => (await host.Get(token)).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(10));
        }

        await flood.CancelAsync();
        await flooding;
        Assert.True(refused > 0);
        var fetches = issuer.KeyFetches;
        Assert.True(fetches.Count > began);
        for (var i = 1; i < fetches.Count; i++)
        {
            Assert.True(Stopwatch.GetElapsedTime(fetches[i - 1], fetches[i]) >= TimeSpan.FromSeconds(1.95), "Two fetches lay closer than two seconds.");
        }
    }

    [Fact]
    public async Task A_key_replaced_under_the_same_id_is_followed()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();
        Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token())).Status);

        issuer.Rotate("first");
        var token = issuer.Token();

        await Eventually.True(async () => (await host.Get(token)).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_withdrawn_key_stops_also_for_tokens_that_are_remembered()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer, new() { ["Authentication:KeyRefresh"] = "00:00:03" })).Ready();
        var old = issuer.Token();
        Assert.Equal(HttpStatusCode.OK, (await host.Get(old)).Status);

        issuer.Rotate("second", withdrawOld: true);

        await Eventually.True(async () => (await host.Get(old)).Code == "invalid_token", TimeSpan.FromSeconds(15));
        Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token())).Status);
    }

    [Theory]
    [InlineData(IssuerFault.Reset)]
    [InlineData(IssuerFault.Error)]
    [InlineData(IssuerFault.Hang)]
    [InlineData(IssuerFault.NotJson)]
    [InlineData(IssuerFault.NotAKeySet)]
    [InlineData(IssuerFault.OnlyDamagedKeys)]
    public async Task An_authority_that_breaks_later_stops_nobody_whose_key_is_known(IssuerFault fault)
    {
        await using var issuer = await TestIssuer.Start();
        var settings = new Dictionary<string, string?> { ["Authentication:KeyRefresh"] = "00:00:01", ["Authentication:Schemes:Bearer:BackchannelTimeout"] = "00:00:01" };
        await using var host = await (await CallersHost.Start(issuer, settings)).Ready();

        issuer.Fault = fault;
        var asked = issuer.DiscoveryFetches;
        await Eventually.True(() => issuer.DiscoveryFetches >= asked + 2); // It has failed once, and goes on asking.

        Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token())).Status);
        Assert.True(host.Services.GetServices<IReadinessCheck>().All(c => c.IsReady));
        issuer.Fault = IssuerFault.None;
        issuer.Rotate("after");
        var token = issuer.Token();
        await Eventually.True(async () => (await host.Get(token)).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task A_host_that_has_never_had_keys_is_not_ready_and_refuses_without_blaming_the_token()
    {
        await using var issuer = await TestIssuer.Start();
        issuer.Fault = IssuerFault.Error;
        await using var host = await CallersHost.Start(issuer);
        var check = host.Services.GetServices<IReadinessCheck>().Single(c => c.Name == "signing-keys");

        var (status, code, _) = await host.Get(issuer.Token());

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "upstream_unavailable"), (status, code));
        Assert.False(check.IsReady);
        issuer.Fault = IssuerFault.None;
        await Eventually.True(() => check.IsReady, TimeSpan.FromSeconds(15));
        Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token())).Status);
    }
}
