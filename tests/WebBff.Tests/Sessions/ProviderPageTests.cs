using System.Net.Http.Headers;
using Microsoft.AspNetCore.WebUtilities;

namespace WebBff.Tests.Sessions;

/// <summary>Tests each page of docs/providers with its own settings, at a provider that behaves as its documentation says.</summary>
public sealed class ProviderPageTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    public static TheoryData<string> Pages => [.. ProviderPage.Names];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task The_settings_of_a_page_work_for_sign_in_calls_refresh_and_sign_out(string name)
    {
        await using var page = await ProviderPage.Start(name);
        var provider = page.Provider;
        var (host, clock) = StartClocked(page.Settings);
        using var browser = NewBrowser(host);

        var asked = await SignIn(browser, provider);
        var user = await browser.User();
        Assert.Equal(("u-1001", "Ada", """["premium"]"""), ((string?)user["sub"], (string?)user["name"], user["roles"]!.ToJsonString()));
        Assert.Equal(name == "auth0" ? "https://api.shop.example" : "", asked["audience"].ToString());
        Assert.Equal(name is "auth0", provider.Asked.First().ContainsKey("client_secret"));

        // The session has the scope. The service gets a token issued for it, and no other service gets a token.
        using var orders = await browser.Get("/api/dashboard");
        Assert.Equal(HttpStatusCode.OK, orders.StatusCode);
        var token = Claims(Upstream.Orders.Calls.All[^1].Header("Authorization")!);
        Assert.Equal(
            name switch
            {
                "auth0" => "https://orders.shop.example",
                "okta" => "api://orders",
                _ => "orders",
            },
            (string?)token["aud"]
        );
        Assert.Equal(
            name switch
            {
                "entra" => "jwt-bearer",
                "keycloak" or "okta" => "token-exchange",
                _ => "client_credentials",
            },
            (string?)token["grant"]
        );
        Assert.All(Upstream.Users.Calls.All, c => Assert.Null(c.Header("Authorization")));

        clock.Advance(TimeSpan.FromMinutes(4.5));
        using var refreshed = await browser.Get("/api/orders?limit=1");
        Assert.Equal((HttpStatusCode.OK, 1), (refreshed.StatusCode, provider.Refreshes));
        Assert.Equal("""["premium"]""", (await browser.User())["roles"]!.ToJsonString());

        using var signedOut = await browser.Send(HttpMethod.Get, (string)(await browser.User())["logoutUrl"]!);
        Assert.StartsWith(provider.Address + "/logout?", signedOut.Headers.Location!.OriginalString, StringComparison.Ordinal);
        using var after = await browser.Get("/bff/user");
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task An_access_token_gives_a_caller_with_role_and_scope(string name)
    {
        await using var page = await ProviderPage.Start(name);
        var host = Start(page.Settings);
        var claims = new JsonObject();
        page.Provider.AccessToken!(claims);

        await Eventually.True(async () => (await Get()).StatusCode == HttpStatusCode.OK);

        Assert.Equal("u-1001", Upstream.Orders.Calls.All[^1].Header("X-User-Id"));
        Assert.Contains("premium", Upstream.Orders.Calls.All[^1].Header("X-User-Roles"), StringComparison.Ordinal);

        async Task<HttpResponseMessage> Get()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders?limit=1");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", page.Provider.Access((JsonObject)claims.DeepClone()));
            return await host.Client.SendAsync(request);
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_refused_refresh_lets_the_app_offer_a_new_sign_in(string name)
    {
        await using var page = await ProviderPage.Start(name);
        var (host, clock) = StartClocked(page.Settings);
        using var browser = NewBrowser(host);
        await SignIn(browser, page.Provider);
        page.Provider.RefreshAnswer = page.Refusal;

        clock.Advance(TimeSpan.FromMinutes(4.5));
        using var refused = await browser.Get("/api/orders?limit=1");

        await Problem(refused, 401, "session_expired");
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task The_provider_ends_the_session_from_its_side_where_it_can(string name)
    {
        await using var page = await ProviderPage.Start(name);
        if (!page.HasBackchannelLogout)
        {
            return;
        }

        using var browser = NewBrowser(Start(page.Settings));
        await SignIn(browser, page.Provider);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var logout = page.Provider.Sign(
            new() { ["typ"] = "logout+jwt" },
            new()
            {
                ["iss"] = page.Provider.IssuerName,
                ["aud"] = page.Settings["Session:ClientId"],
                ["sub"] = "u-1001",
                ["sid"] = "s-1",
                ["iat"] = now,
                ["exp"] = now + 120,
                ["jti"] = Guid.NewGuid().ToString("N"),
                ["events"] = new JsonObject { ["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject() },
            }
        );
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("logout_token", logout)]);

        using var ended = await browser.Host.Client.PostAsync("/bff/backchannel-logout", form);

        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
        using var after = await browser.Get("/bff/user");
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    /// <summary>Customers at Auth0, employees at Entra: each token is checked with its own issuer's keys, claims and audience.</summary>
    [Fact]
    public async Task Two_providers_on_one_host_are_told_apart_by_their_issuers()
    {
        await using var customers = await ProviderPage.Start("auth0");
        await using var employees = await ProviderPage.Start("entra");
        var host = Start(
            new(customers.Settings.Concat(employees.Settings.Where(s => s.Key.StartsWith("Authentication:", StringComparison.Ordinal))))
        );
        using var browser = NewBrowser(host);
        await SignIn(browser, customers.Provider);
        var (customer, employee) = (new JsonObject(), new JsonObject());
        customers.Provider.AccessToken!(customer);
        employees.Provider.AccessToken!(employee);
        (customer["sub"], employee["oid"]) = ("u-1002", "u-1001");

        await Eventually.True(async () => await Status(customers, customer, null) == HttpStatusCode.OK);
        Assert.Equal("u-1002", Upstream.Orders.Calls.All[^1].Header("X-User-Id"));
        await Eventually.True(async () => await Status(employees, employee, null) == HttpStatusCode.OK);
        Assert.Equal("u-1001", Upstream.Orders.Calls.All[^1].Header("X-User-Id"));
        using var own = await browser.Get("/api/orders?limit=1");
        Assert.Equal((HttpStatusCode.OK, "u-1001"), (own.StatusCode, Upstream.Orders.Calls.All[^1].Header("X-User-Id")));

        // Neither provider can issue tokens for the other or for the other's audience.
        Assert.Equal(HttpStatusCode.Unauthorized, await Status(customers, employee, employees.Provider.IssuerName));
        Assert.Equal(HttpStatusCode.Unauthorized, await Status(employees, customer, customers.Provider.IssuerName));
        Assert.Equal(HttpStatusCode.Unauthorized, await Status(employees, customer, null));

        async Task<HttpStatusCode> Status(ProviderPage signer, JsonObject claims, string? issuer)
        {
            var sent = (JsonObject)claims.DeepClone();
            if (issuer is not null)
            {
                sent["iss"] = issuer;
            }

            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders?limit=1");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", signer.Provider.Access(sent));
            using var answer = await host.Client.SendAsync(request);
            return answer.StatusCode;
        }
    }

    private static JsonNode Claims(string authorization) =>
        JsonNode.Parse(WebEncoders.Base64UrlDecode(authorization["Bearer ".Length..].Split('.')[1]))!;

    private static async Task<Dictionary<string, Microsoft.Extensions.Primitives.StringValues>> SignIn(
        Browser browser,
        SparseProvider provider
    )
    {
        using var begun = await browser.Send(HttpMethod.Get, "/bff/login");
        Assert.True(begun.StatusCode == HttpStatusCode.Found, await begun.Content.ReadAsStringAsync());
        var query = QueryHelpers.ParseQuery(begun.Headers.Location!.Query);
        query.TryAdd("audience", "");
        using var back = await browser.Follow(provider.SignIn(begun.Headers.Location));
        Assert.True(back.StatusCode == HttpStatusCode.Found, await back.Content.ReadAsStringAsync());
        return query;
    }
}
