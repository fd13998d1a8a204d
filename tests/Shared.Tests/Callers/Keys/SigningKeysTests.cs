using System.Diagnostics;
using System.Net;
using Bff.Callers.Providers;
using Bff.Life;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Callers.Keys;

public sealed class SigningKeysTests
{
    private static readonly TimeSpan MinGap = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Two_rollovers_in_a_row_are_followed_within_ten_seconds_while_unknown_kids_flood_the_gateway()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();
        using var flood = new CancellationTokenSource();
        var flooding = Flood(host, issuer, flood.Token);
        var began = issuer.KeyFetches.Count;

        foreach (var kid in (string[])["second", "third"])
        {
            issuer.Rotate(kid);
            var token = issuer.Token();
            await Eventually.True(async () => (await host.Get(token)).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(10));
        }

        await flood.CancelAsync();
        Assert.True(await flooding > 0);
        var fetches = issuer.KeyFetches;
        Assert.True(fetches.Count > began);
        for (var i = 1; i < fetches.Count; i++)
        {
            Assert.True(
                Stopwatch.GetElapsedTime(fetches[i - 1], fetches[i]) >= TimeSpan.FromSeconds(1.95),
                "Two fetches lay closer than two seconds."
            );
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

    [Theory]
    [InlineData(0, false)]
    [InlineData(3, false)]
    [InlineData(0, true)]
    [InlineData(3, true)]
    public async Task A_withdrawn_key_is_refused_within_a_minute_by_default_even_for_cached_tokens(int lostFetches, bool isFlooded)
    {
        var clock = new ManualTimeProvider();
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, clock);
        var (remembered, unseen) = (issuer.Token(), issuer.Token());
        Assert.Equal(HttpStatusCode.OK, (await host.Get(remembered)).Status);
        using var flood = new CancellationTokenSource();
        var flooding = isFlooded ? Flood(host, issuer, flood.Token) : Task.FromResult(0);
        await Waits();

        issuer.Rotate("second", withdrawOld: true);
        issuer.Fault = lostFetches > 0 ? IssuerFault.Error : IssuerFault.None;
        var (lost, left) = (0, TimeSpan.FromMinutes(1));
        while (await Waits() is var due && due <= left)
        {
            var asked = issuer.DiscoveryFetches + issuer.KeyFetches.Count;
            clock.Advance(due);
            left -= due;
            await Waits();
            lost += issuer.DiscoveryFetches + issuer.KeyFetches.Count > asked ? 1 : 0;
            issuer.Fault = lost < lostFetches ? issuer.Fault : IssuerFault.None;
        }

        Assert.Empty(host.Services.GetRequiredService<TokenProviders>()[0].Keys.Current.Candidates("first", "RS256"));
        await flood.CancelAsync();
        // A request that waits for a newer key ends when a fetch has brought none, so the clock moves on.
        using (new Timer(_ => clock.Advance(TimeSpan.FromSeconds(1)), null, 0, 50))
        {
            Assert.Equal(isFlooded, await flooding > 0);
            Assert.Equal("invalid_token", (await host.Get(remembered)).Code);
            Assert.Equal("invalid_token", (await host.Get(unseen)).Code);
            Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token())).Status);
        }

        // Waits until the loop waits: for the gap between two fetches, or for the next regular fetch when no request needs a key.
        async Task<TimeSpan> Waits()
        {
            await Eventually.True(() => isFlooded ? clock.NextDue == MinGap : clock.NextDue is not null);
            return clock.NextDue!.Value;
        }
    }

    [Fact]
    public async Task Two_rotations_within_ten_seconds_refuse_no_token()
    {
        var clock = new ManualTimeProvider();
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, clock);
        using var enough = new CancellationTokenSource();
        var gaps = SkipGaps();
        var callers = Enumerable
            .Range(0, 4)
            .Select(_ =>
                Task.Run(async () =>
                {
                    while (!enough.IsCancellationRequested)
                    {
                        // The token is signed with the newest key at this moment.
                        Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token())).Status);
                    }
                })
            )
            .ToList();
        var (first, began) = (issuer.Token(), clock.GetUtcNow());

        foreach (var kid in (string[])["second", "third"])
        {
            issuer.Rotate(kid);
            Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token())).Status);
            Assert.Equal(HttpStatusCode.OK, (await host.Get(first)).Status);
        }

        Assert.True(clock.GetUtcNow() - began < TimeSpan.FromSeconds(10));
        await enough.CancelAsync();
        await Task.WhenAll([.. callers, gaps]);

        // The clock moves while the loop waits between two fetches and stands still while it fetches.
        async Task SkipGaps()
        {
            while (!enough.IsCancellationRequested)
            {
                await Eventually.True(() => clock.NextDue == MinGap || enough.IsCancellationRequested, TimeSpan.FromMinutes(2));
                clock.Advance(clock.NextDue == MinGap ? MinGap : TimeSpan.Zero);
            }
        }
    }

    [Fact]
    public async Task A_request_waits_for_a_key_that_the_running_fetch_has_missed()
    {
        var clock = new ManualTimeProvider();
        await using var issuer = await TestIssuer.Start();
        await using var host = await Host(issuer, clock);
        var leave = new TaskCompletionSource();
        issuer.KeysMayLeave = leave.Task;
        var fetches = issuer.KeyFetches.Count;
        await Eventually.True(() => clock.ActiveTimers == 1);
        clock.Advance(MinGap);
        await Eventually.True(() => clock.ActiveTimers == 1);
        clock.Advance(TimeSpan.FromSeconds(28));
        await Eventually.True(() => issuer.KeyFetches.Count > fetches); // The fetch has read the old keys.

        issuer.Rotate("second");
        var asked = host.Get(issuer.Token());
        await Eventually.True(() => clock.ActiveTimers == 1);
        leave.SetResult();
        await Eventually.True(() => clock.ActiveTimers == 2);
        clock.Advance(MinGap);

        Assert.Equal(HttpStatusCode.OK, (await asked).Status);
    }

    [Theory]
    [InlineData(IssuerFault.Reset)]
    [InlineData(IssuerFault.Error)]
    [InlineData(IssuerFault.Hang)]
    [InlineData(IssuerFault.NotJson)]
    [InlineData(IssuerFault.NotAKeySet)]
    [InlineData(IssuerFault.OnlyDamagedKeys)]
    public async Task Tokens_with_known_keys_are_accepted_after_the_authority_fails(IssuerFault fault)
    {
        await using var issuer = await TestIssuer.Start();
        var settings = new Dictionary<string, string?>
        {
            ["Authentication:KeyRefresh"] = "00:00:01",
            ["Authentication:Schemes:Bearer:BackchannelTimeout"] = "00:00:01",
        };
        await using var host = await (await CallersHost.Start(issuer, settings)).Ready();

        issuer.Fault = fault;
        var asked = issuer.DiscoveryFetches;
        await Eventually.True(() => issuer.DiscoveryFetches >= asked + 2); // The fetch has failed once and is repeated.

        Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token())).Status);
        Assert.True(host.Services.GetServices<IReadinessCheck>().All(c => c.IsReady));
        issuer.Fault = IssuerFault.None;
        issuer.Rotate("after");
        var token = issuer.Token();
        await Eventually.True(async () => (await host.Get(token)).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task Tokens_are_accepted_after_the_discovery_document_has_lost_its_issuer()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer, new() { ["Authentication:KeyRefresh"] = "00:00:01" })).Ready();
        var (token, unseen) = (issuer.Token(), issuer.Token());
        Assert.Equal(HttpStatusCode.OK, (await host.Get(token)).Status);

        issuer.IssuerName = "";
        var asked = issuer.DiscoveryFetches;
        await Eventually.True(() => issuer.DiscoveryFetches >= asked + 2); // The first document without an issuer has been read.

        Assert.Equal(HttpStatusCode.OK, (await host.Get(unseen)).Status);
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

    /// <summary>Starts a ready host in which only the key loop and the requests that wait for it use the given clock.</summary>
    private static async Task<CallersHost> Host(TestIssuer issuer, TimeProvider clock) =>
        await (
            await CallersHost.Start(
                issuer,
                new() { ["Authentication:Schemes:Bearer:BackchannelTimeout"] = "00:01:00" },
                b => b.Services.AddSingleton(p => ActivatorUtilities.CreateInstance<TokenProviders>(p, clock))
            )
        ).Ready();

    /// <returns>The number of refused requests.</returns>
    private static async Task<int> Flood(CallersHost host, TestIssuer issuer, CancellationToken enough)
    {
        var stranger = SigningTestKey.Rsa("stranger");
        var refused = await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(worker =>
                    Task.Run(async () =>
                    {
                        var count = 0;
                        for (var i = 0; !enough.IsCancellationRequested; i++)
                        {
                            var token = stranger.Sign(issuer.Claims(), h => h["kid"] = $"unknown-{worker}-{i}");
                            count += (await host.Get(token)).Status == HttpStatusCode.Unauthorized ? 1 : 0;
                        }

                        return count;
                    })
                )
        );
        return refused.Sum();
    }
}
