using System.Text.RegularExpressions;
using Bff.Dev.IdentityProvider;

namespace PartnerBff.Tests.Portal;

/// <summary>Credentials that end with a session at the portal, or with a role.</summary>
public sealed class SessionEndTests(SharedSurroundings surroundings) : PortalTest(surroundings)
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [RedisData(true, false)]
    [RedisData(true, true)]
    public async Task The_documentations_test_key_is_signed_out_with_its_session(bool onRedis, bool overTheBackChannel)
    {
        var redis = onRedis ? StartRedis() : null;
        var host = StartPortal(redis: redis);
        await Ready(host, onRedis);
        var earlier = Surroundings.Identity.SessionsOf("u-1003").ToList();
        var carol = await SignedIn(host);
        var sid = Surroundings.Identity.SessionsOf("u-1003").Except(earlier).Single();
        var other = await SignedIn(host);
        var (key, others) = (await DocsKey(carol), await DocsKey(other));
        await Json(await Get(host, "/v1/products/p-1", key)); // The host remembers the key now.

        if (overTheBackChannel)
        {
            using var form = new FormUrlEncodedContent([
                KeyValuePair.Create("logout_token", Surroundings.Identity.CreateLogoutToken("partner-portal", null, sid)),
            ]);
            using var told = await host.Client.PostAsync("/portal/backchannel-logout", form);
            Assert.Equal(HttpStatusCode.OK, told.StatusCode);
        }
        else
        {
            using var left = await carol.Get(All(await Page(await carol.Get("/portal")), "href=\"(/portal/logout[^\"]+)\"")[0]);
            Assert.Equal(HttpStatusCode.Redirect, left.StatusCode);
        }

        await Eventually.True(async () => (await Get(host, "/v1/products/p-1", key)).StatusCode == HttpStatusCode.Unauthorized);
        await Json(await Get(host, "/v1/products/p-1", others));
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task The_documentations_test_key_runs_out_with_its_session(bool onRedis)
    {
        var clock = NewClock();
        var host = StartPortal(redis: onRedis ? StartRedis() : null, clock: clock);
        await Ready(host, onRedis);
        var carol = await SignedIn(host);
        var key = await DocsKey(carol);

        clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(key, await DocsKey(carol)); // The request prolongs the session, and the key with it.
        clock.Advance(TimeSpan.FromMinutes(20));
        await Json(await Get(host, "/v1/products/p-1", key));
        clock.Advance(TimeSpan.FromMinutes(11));

        await Problem(await Get(host, "/v1/products/p-1", key), 401, "invalid_api_key");
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_removed_role_ends_with_the_next_token_and_so_does_the_test_key(bool onRedis)
    {
        var clock = NewClock();
        var host = StartPortal(redis: onRedis ? StartRedis() : null, clock: clock);
        await Ready(host, onRedis);
        var carol = await SignedIn(host);
        var key = await DocsKey(carol);
        await Page(await carol.Get("/portal/keys"));

        Surroundings.Identity.ChangeIdToken = claims => claims["roles"] = new JsonArray("enterprise");
        clock.Advance(TimeSpan.FromMinutes(9.5));

        Assert.Contains("partner-admin", await Page(await carol.Get("/portal/keys"), 403), StringComparison.Ordinal);
        await Eventually.True(async () => (await Get(host, "/v1/products/p-1", key)).StatusCode == HttpStatusCode.Unauthorized);
    }

    private static Task Ready(PartnerHost host, bool onRedis) => onRedis ? Connected(host) : Task.CompletedTask;

    private static async Task<string> DocsKey(Person person) =>
        Regex.Match(await Page(await person.Get("/docs")), "pk_test_[0-9A-Za-z]{38}") is { Success: true } found
            ? found.Value
            : throw new InvalidOperationException("No key.");
}
