using System.Security.Cryptography;
using Microsoft.AspNetCore.WebUtilities;

namespace WebBff.Tests.Sessions;

/// <summary>Settings for sign-in requirements of companies' providers beyond the standard's minimum.</summary>
public sealed class SignInSettingsTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private const string Tenant = "9f1c1d7e-0000-4000-8000-000000000001";

    [Fact]
    public async Task Only_configured_parameters_and_listed_ones_of_the_address_are_sent_to_the_provider()
    {
        await using var provider = await SparseProvider.Start();
        using var browser = NewBrowser(
            Start(
                At(
                    provider,
                    ("AuthorizeParameters:audience", "https://api.example"),
                    ("LoginParameters:0", "login_hint"),
                    ("LoginParameters:1", "prompt")
                )
            )
        );

        var query = QueryHelpers.ParseQuery(
            (await Begin(browser, "?login_hint=ada%40example.com&acr_values=gold&prompt=login&client_id=evil")).Query
        );

        Assert.Equal(
            ("https://api.example", "ada@example.com", "login", "web-bff"),
            (query["audience"].ToString(), query["login_hint"].ToString(), query["prompt"].ToString(), query["client_id"].ToString())
        );
        Assert.False(query.ContainsKey("acr_values"));
    }

    [Theory]
    [InlineData("?login_hint=a&login_hint=b")]
    [InlineData("?login_hint=")]
    [InlineData("?login_hint=a%0Ab")]
    public async Task A_listed_parameter_comes_once_and_is_text(string query)
    {
        await using var provider = await SparseProvider.Start();
        using var browser = NewBrowser(Start(At(provider, ("LoginParameters:0", "login_hint"))));

        using var answer = await browser.Send(HttpMethod.Get, "/bff/login" + query);

        Assert.Contains(
            "login_hint",
            (await Problem(answer, 400, "validation_failed"))["errors"]!.ToJsonString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_secret_is_sent_in_the_body_if_the_provider_accepts_it_only_there()
    {
        await using var provider = await SparseProvider.Start();
        using var browser = NewBrowser(Start(At(provider, ("ClientAuthentication", "Post"))));

        await SignIn(browser, provider);

        var asked = Assert.Single(provider.Asked);
        Assert.Equal(("web-bff", "web-bff-development-secret", ""), (asked["client_id"], asked["client_secret"], asked["authorization"]));
    }

    [Fact]
    public async Task A_private_key_signs_for_the_host_and_no_secret_is_needed()
    {
        using var rsa = RSA.Create(2048);
        var file = Path.Combine(Directory.CreateTempSubdirectory("bff-key-").FullName, "key.pem");
        await File.WriteAllTextAsync(file, rsa.ExportPkcs8PrivateKeyPem());
        await using var provider = await SparseProvider.Start();
        using var browser = NewBrowser(
            Start(At(provider, ("ClientAuthentication", "PrivateKeyJwt"), ("PrivateKey:Path", file), ("ClientSecret", "")))
        );

        await SignIn(browser, provider);

        var asked = Assert.Single(provider.Asked);
        Assert.Equal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer", asked["client_assertion_type"]);
        Assert.False(asked.ContainsKey("client_secret"));
        var parts = asked["client_assertion"].Split('.');
        Assert.True(
            rsa.VerifyData(
                System.Text.Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]),
                WebEncoders.Base64UrlDecode(parts[2]),
                HashAlgorithmName.SHA256,
                RSASignaturePadding.Pkcs1
            )
        );
        var claims = JsonNode.Parse(WebEncoders.Base64UrlDecode(parts[1]))!;
        Assert.Equal(
            ("web-bff", "web-bff", provider.Address + "/token"),
            ((string?)claims["iss"], (string?)claims["sub"], (string?)claims["aud"])
        );
        Assert.NotNull(claims["jti"]);
    }

    [Theory]
    [InlineData("Auto", true, true)]
    [InlineData("Auto", false, false)]
    [InlineData("Require", true, true)]
    [InlineData("Off", true, false)]
    public async Task Parameters_are_pushed_if_the_provider_offers_it_and_the_setting_wants_it(string setting, bool offered, bool pushed)
    {
        await using var provider = await SparseProvider.Start();
        provider.TakesPushes = offered;
        using var browser = NewBrowser(Start(At(provider, ("PushedAuthorization", setting))));

        var address = await Begin(browser);
        var query = QueryHelpers.ParseQuery(address.Query);

        Assert.Equal(pushed ? ["client_id", "request_uri"] : [], query.Keys.Where(_ => pushed).Order());
        Assert.Equal(!pushed, query.ContainsKey("state"));
        Assert.Equal(
            pushed,
            provider.Asked.Any(a =>
                a["path"] == "/par" && a["authorization"].StartsWith("Basic ", StringComparison.Ordinal) && a.ContainsKey("code_challenge")
            )
        );
        using var back = await browser.Follow(provider.SignIn(address));
        Assert.Equal(HttpStatusCode.Found, back.StatusCode);
    }

    [Fact]
    public async Task A_provider_without_pushed_requests_is_an_outage_if_they_are_required()
    {
        await using var provider = await SparseProvider.Start();
        using var browser = NewBrowser(Start(At(provider, ("PushedAuthorization", "Require"))));

        using var answer = await browser.Send(HttpMethod.Get, "/bff/login");

        await Problem(answer, 503, "upstream_unavailable");
    }

    [Theory]
    [InlineData("Auto", null, "Ada", true)]
    [InlineData("Auto", "Signed", "Signed", false)]
    [InlineData("Always", "Signed", "Signed", true)]
    [InlineData("Never", null, null, false)]
    public async Task User_info_completes_what_the_id_token_lacks(string setting, string? signedName, string? name, bool asked)
    {
        await using var provider = await SparseProvider.Start();
        provider.UserInfo = new()
        {
            ["sub"] = "sparse",
            ["name"] = "Ada",
            ["email"] = "ada@example.com",
            ["roles"] = new JsonArray("premium"),
        };
        if (signedName is not null)
        {
            provider.Change = (_, claims) => (claims["name"], claims["email"]) = (signedName, "signed@example.com");
        }

        using var browser = NewBrowser(Start(At(provider, ("UserInfo", setting))));
        await SignIn(browser, provider);

        var user = await browser.User();
        Assert.Equal(name, (string?)user["name"]);
        Assert.Equal(asked ? """["premium"]""" : "[]", user["roles"]!.ToJsonString());
    }

    [Fact]
    public async Task User_info_of_somebody_else_ends_the_sign_in()
    {
        await using var provider = await SparseProvider.Start();
        provider.UserInfo = new() { ["sub"] = "another", ["name"] = "Mallory" };
        using var browser = NewBrowser(Start(At(provider)));

        using var back = await browser.Follow(provider.SignIn(await Begin(browser)));

        await Problem(back, 400, "malformed_request");
        Assert.Null(browser.Session);
    }

    [Theory]
    [InlineData("false", false)]
    [InlineData("true", true)]
    public async Task Signing_out_sends_the_id_token_only_if_configured(string setting, bool taken)
    {
        await using var provider = await SparseProvider.Start();
        provider.ChangeDiscovery = document => document["end_session_endpoint"] = provider.Address + "/logout";
        using var browser = NewBrowser(Start(At(provider, ("IdTokenHint", setting))));
        await SignIn(browser, provider);

        using var out_ = await browser.Send(HttpMethod.Get, (string)(await browser.User())["logoutUrl"]!);

        Assert.Equal(taken, QueryHelpers.ParseQuery(out_.Headers.Location!.Query).ContainsKey("id_token_hint"));
    }

    [Theory]
    [InlineData("https://app.example.com/orders?a=1#b", "https://app.example.com/orders?a=1#b")]
    [InlineData("https://app.example.com", "https://app.example.com/")]
    [InlineData("https://APP.example.com/x", "https://app.example.com/x")]
    [InlineData("/orders", "/orders")]
    [InlineData("https://app.example.com.evil.example/", null)]
    [InlineData("https://app.example.com@evil.example/", null)]
    [InlineData("https://app.example.com:8443/", null)]
    [InlineData("https://app.example.com\\.evil.example/", null)]
    [InlineData("https://app.example.com//evil.example", null)]
    [InlineData("https://app.example.com/a/../..//evil.example", null)]
    [InlineData("http://app.example.com/", null)]
    [InlineData("https://other.example.com/", null)]
    [InlineData("//app.example.com/", null)]
    public async Task A_browser_comes_back_to_a_listed_origin_and_to_no_other(string returnUrl, string? expected)
    {
        await using var provider = await SparseProvider.Start();
        var settings = At(provider, ("ReturnOrigins:0", "https://app.example.com"));
        settings["Cors:Origins:0"] = "https://app.example.com";
        settings["Cors:Origins:1"] = "https://other.example.com";
        using var browser = NewBrowser(Start(settings));

        using var begun = await browser.Send(HttpMethod.Get, "/bff/login?returnUrl=" + Uri.EscapeDataString(returnUrl));
        if (expected is null)
        {
            await Problem(begun, 400, "validation_failed");
            return;
        }

        using var back = await browser.Follow(provider.SignIn(begun.Headers.Location!));
        Assert.Equal(expected, back.Headers.Location!.OriginalString);
    }

    [Theory]
    [InlineData(null, "", "/")]
    [InlineData("/app", "", "/app")]
    [InlineData(null, "https://app.example.com", "https://app.example.com/")]
    [InlineData("https://app.example.com/start", "https://app.example.com", "https://app.example.com/start")]
    public async Task A_browser_without_a_return_address_goes_home_after_signing_in_or_out(string? home, string origin, string expected)
    {
        await using var provider = await SparseProvider.Start();
        var settings = At(provider, ("Home", home ?? ""));
        if (origin.Length > 0)
        {
            settings["Session:ReturnOrigins:0"] = origin;
            settings["Cors:Origins:0"] = origin;
        }

        var host = Start(settings);
        using var browser = NewBrowser(host);
        using var stranger = NewBrowser(host);

        using var begun = await browser.Send(HttpMethod.Get, "/bff/login");
        using var back = await browser.Follow(provider.SignIn(begun.Headers.Location!));
        using var signedOut = await stranger.Send(HttpMethod.Get, "/bff/logout"); // Without a session the provider is not asked.

        Assert.Equal((expected, expected), (back.Headers.Location!.OriginalString, signedOut.Headers.Location!.OriginalString));
    }

    [Fact]
    public async Task A_sign_in_without_a_return_address_ends_at_a_page()
    {
        using var browser = NewBrowser(Start());

        using var home = await browser.Send(HttpMethod.Get, "/");

        Assert.Equal((HttpStatusCode.OK, "text/html"), (home.StatusCode, home.Content.Headers.ContentType?.MediaType));
    }

    [Theory]
    [InlineData(400, """{"error":"invalid_grant"}""", true)]
    [InlineData(400, """{"error":"interaction_required","suberror":"basic_action"}""", true)]
    [InlineData(400, """{"error":"login_required"}""", true)]
    [InlineData(400, """{"error":"consent_required"}""", true)]
    [InlineData(401, """{"error":"unauthorized_client"}""", true)]
    [InlineData(403, """{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}""", true)]
    [InlineData(403, """{"error":"access_denied"}""", true)]
    [InlineData(401, """{"error":"invalid_client"}""", false)]
    [InlineData(400, """{"error":"temporarily_unavailable"}""", false)]
    [InlineData(403, "<html>blocked</html>", false)]
    [InlineData(400, "", false)]
    [InlineData(400, "{}", false)]
    [InlineData(429, """{"error":"invalid_grant"}""", false)]
    [InlineData(500, """{"error":"invalid_grant"}""", false)]
    [InlineData(503, "", false)]
    [InlineData(200, "{}", false)]
    [InlineData(200, "[]", false)]
    [InlineData(200, "\"tokens\"", false)]
    [InlineData(400, "[]", false)]
    [InlineData(400, """{"error":["invalid_grant"]}""", false)]
    public async Task A_refresh_that_the_provider_refuses_ends_the_session_and_one_that_it_cannot_answer_does_not(
        int status,
        string body,
        bool ends
    )
    {
        await using var provider = await SparseProvider.Start();
        provider.ChangeAnswer = answer => answer["refresh_token"] = "next";
        var (host, clock) = StartClocked(At(provider));
        using var browser = NewBrowser(host);
        await SignIn(browser, provider);
        provider.RefreshAnswer = (status, body);

        clock.Advance(TimeSpan.FromMinutes(4.5)); // The host assumes five minutes when the provider does not say.
        using var due = await browser.Get("/api/orders?limit=1");
        if (ends)
        {
            await Problem(due, 401, "session_expired");
            return;
        }

        Assert.Equal(HttpStatusCode.OK, due.StatusCode);
        clock.Advance(TimeSpan.FromMinutes(1));
        using var over = await browser.Get("/api/orders?limit=1");
        await Problem(over, 503, "upstream_unavailable");
        provider.RefreshAnswer = null;
        clock.Advance(TimeSpan.FromSeconds(3));
        using var back = await browser.Get("/api/orders?limit=1");
        Assert.Equal(HttpStatusCode.OK, back.StatusCode);
    }

    [Fact]
    public async Task A_providers_claims_scopes_and_tenants_apply_to_sessions()
    {
        await using var provider = await SparseProvider.Start();
        provider.IssuerName = "https://login.example/{tenantid}/v2.0";
        var issuer = "https://login.example/" + Tenant + "/v2.0";
        provider.Change = (_, claims) =>
            (claims["iss"], claims["oid"], claims["tid"], claims["roles"]) = (issuer, "u-1001", Tenant, new JsonArray("premium"));
        provider.ChangeAnswer = answer => answer["scope"] = "openid profile api://shop/api";
        var settings = At(provider, ("Provider", "employees"), ("Authority", ""));
        foreach (
            var (key, value) in new[]
            {
                ("Type", "Entra"),
                ("Authority", provider.Address),
                ("RequireHttpsMetadata", "false"),
                ("ValidAudiences:0", "shop"),
                ("ScopePrefix", "api://shop/"),
                ("AllowedTenants:0", Tenant),
                ("ValidIssuers:0", "https://login.example/{tenantid}/v2.0"),
            }
        )
        {
            settings["Authentication:Providers:employees:" + key] = value;
        }

        using var browser = NewBrowser(Start(settings));
        await SignIn(browser, provider);
        var user = await browser.User();
        using var orders = await browser.Get("/api/orders?limit=1");

        Assert.Equal(("u-1001", """["premium"]"""), ((string?)user["sub"], user["roles"]!.ToJsonString()));
        Assert.Equal(HttpStatusCode.OK, orders.StatusCode); // This needs the scope api.

        // A tenant that is not listed is refused.
        provider.Change = (_, claims) =>
            (claims["iss"], claims["oid"], claims["tid"]) = ("https://login.example/stranger/v2.0", "u-1002", "stranger");
        using var stranger = NewBrowser(browser.Host);
        using var refused = await stranger.Follow(provider.SignIn(await Begin(stranger)));
        await Problem(refused, 400, "malformed_request");

        // A logout token names the user by sub, the session by oid.
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var logout = provider.Sign(
            new() { ["typ"] = "logout+jwt" },
            new()
            {
                ["iss"] = issuer,
                ["tid"] = Tenant,
                ["aud"] = "web-bff",
                ["sub"] = "sparse",
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

    private static Dictionary<string, string?> At(SparseProvider provider, params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string?> { ["Session:Authority"] = provider.Address };
        foreach (var (key, value) in settings)
        {
            all["Session:" + key] = value;
        }

        return all;
    }

    private static async Task<Uri> Begin(Browser browser, string query = "")
    {
        using var begun = await browser.Send(HttpMethod.Get, "/bff/login" + query);
        Assert.True(begun.StatusCode == HttpStatusCode.Found, await begun.Content.ReadAsStringAsync());
        return begun.Headers.Location!;
    }

    private static async Task SignIn(Browser browser, SparseProvider provider)
    {
        using var back = await browser.Follow(provider.SignIn(await Begin(browser)));
        Assert.True(back.StatusCode == HttpStatusCode.Found, await back.Content.ReadAsStringAsync());
    }
}
