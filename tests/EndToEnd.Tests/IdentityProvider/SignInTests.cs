using System.Net;
using System.Text.Json.Nodes;
using Bff.Dev.IdentityProvider;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Bff.EndToEnd.Tests.IdentityProvider;

public sealed class SignInTests : IdentityProviderTests
{
    [Fact]
    public async Task Discovery_names_this_provider_and_endpoints_that_answer()
    {
        var document = (JsonObject)JsonNode.Parse(await Browser.Http.GetStringAsync("/.well-known/openid-configuration"))!;

        Assert.Equal(Provider.Authority, (string?)document["issuer"]);
        Assert.Equal("S256", (string?)document["code_challenge_methods_supported"]![0]);
        var keys = JsonNode.Parse(await Browser.Http.GetStringAsync((string?)document["jwks_uri"]))!["keys"]!.AsArray();
        Assert.Equal(["RS256", "ES256"], keys.Select(key => (string?)key!["alg"]));
        Assert.All(keys, key => Assert.Null(key!["d"]));
        Assert.Equal(1, Provider.Calls[IdentityEndpoint.Discovery]);
        Assert.Equal(1, Provider.Calls[IdentityEndpoint.Jwks]);
    }

    [Fact]
    public async Task Code_flow_with_pkce_gives_tokens_that_verify()
    {
        var callback = await Browser.SignIn("alice");
        Assert.Equal("the-state", callback["state"]);
        Assert.Equal(Provider.Authority, callback["iss"]);

        var tokens = await Browser.Exchange(callback["code"], Browser.Verifier);

        Assert.Equal(200, (int)tokens["status"]!);
        Assert.Equal(600, (int)tokens["expires_in"]!);
        var access = await Browser.Validate((string)tokens["access_token"]!, "bff", "at+jwt");
        Assert.True(access.IsValid, access.Exception?.Message);
        Assert.Equal("u-1001", access.Claims["sub"]);
        Assert.Equal("acme", access.Claims["tid"]);
        Assert.Equal("web-bff", access.Claims["client_id"]);
        Assert.Equal("openid profile email api offline_access", access.Claims["scope"]);
        Assert.Equal(["premium"], ((JsonWebToken)access.SecurityToken).GetPayloadValue<string[]>("roles"));
        var id = await Browser.Validate((string)tokens["id_token"]!, "web-bff", "JWT");
        Assert.True(id.IsValid, id.Exception?.Message);
        Assert.Equal("the-nonce", id.Claims["nonce"]);
        Assert.Equal(Assert.Single(Provider.SessionsOf("u-1001")), id.Claims["sid"]);
    }

    [Fact]
    public async Task Api_scope_is_granted_unasked_and_no_refresh_token_without_offline_access()
    {
        var tokens = await Browser.Exchange((await Browser.SignIn("bob", ("scope", "openid")))["code"], Browser.Verifier);

        Assert.Equal("openid api", (string?)tokens["scope"]);
        Assert.Null(tokens["refresh_token"]);
    }

    [Fact]
    public async Task Wrong_verifier_is_refused_and_spends_the_code()
    {
        var code = (await Browser.SignIn("alice"))["code"];

        Assert.Equal("invalid_grant", (string?)(await Browser.Exchange(code, new string('x', 43)))["error"]);
        Assert.Equal("invalid_grant", (string?)(await Browser.Exchange(code, Browser.Verifier))["error"]);
    }

    [Fact]
    public async Task Replayed_code_is_refused_and_revokes_the_tokens_of_its_first_use()
    {
        var code = (await Browser.SignIn("alice"))["code"];
        var tokens = await Browser.Exchange(code, Browser.Verifier);

        Assert.Equal("invalid_grant", (string?)(await Browser.Exchange(code, Browser.Verifier))["error"]);

        Assert.Equal("invalid_grant", (string?)(await Browser.Refresh((string)tokens["refresh_token"]!))["error"]);
        Assert.False((bool)(await Browser.Introspect((string)tokens["access_token"]!))["active"]!);
    }

    [Fact]
    public async Task Code_ends_after_a_minute()
    {
        var code = (await Browser.SignIn("alice"))["code"];
        Clock.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal("invalid_grant", (string?)(await Browser.Exchange(code, Browser.Verifier))["error"]);
    }

    [Theory]
    [InlineData("code_challenge", null, "invalid_request")]
    [InlineData("code_challenge_method", "plain", "invalid_request")]
    [InlineData("response_type", "token", "unsupported_response_type")]
    [InlineData("prompt", "none", "login_required")]
    public async Task Refusals_return_to_the_client_with_its_state(string parameter, string? value, string error)
    {
        var callback = await Browser.Authorize((parameter, value));

        Assert.Equal(error, callback["error"]);
        Assert.Equal("the-state", callback["state"]);
    }

    [Theory]
    [InlineData("client_id", "nobody")]
    [InlineData("redirect_uri", "https://attacker.example/bff/callback")]
    [InlineData("redirect_uri", "http://127.0.0.1:54321/elsewhere")]
    [InlineData("redirect_uri", "http://127.0.0.1.attacker.example/bff/callback")]
    [InlineData("redirect_uri", "http://user@127.0.0.1/bff/callback")]
    public async Task Unregistered_addresses_get_a_page_and_no_redirect(string parameter, string value)
    {
        using var answer = await Browser.Http.GetAsync("/authorize" + Browser.AuthorizeQuery((parameter, value)));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Null(answer.Headers.Location);
    }

    [Fact]
    public async Task Sign_in_page_has_a_button_per_user_the_hinted_one_first_and_no_script()
    {
        using var answer = await Browser.Http.GetAsync(
            "/authorize" + Browser.AuthorizeQuery(("login_hint", "u-1042"), ("state", "\"><script>"))
        );
        var page = await answer.Content.ReadAsStringAsync();

        Assert.Equal(5, page.Split("<button").Length - 1);
        Assert.True(
            page.IndexOf("u-1042@example.com", StringComparison.Ordinal) < page.IndexOf("alice@example.com", StringComparison.Ordinal)
        );
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe-inline", policy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_at_the_provider_answers_silently_but_not_for_another_hint()
    {
        await Browser.SignIn("alice");

        Assert.Contains("code", await Browser.Authorize(("prompt", "none")));
        Assert.Contains("code", await Browser.Authorize(("prompt", "none"), ("login_hint", "alice")));
        Assert.Equal("login_required", (await Browser.Authorize(("prompt", "none"), ("login_hint", "bob")))["error"]);
    }

    [Fact]
    public async Task Signing_in_again_keeps_the_session_of_the_same_user_and_starts_one_for_another()
    {
        await Browser.SignIn("alice");
        var sid = Assert.Single(Provider.SessionsOf("u-1001"));
        await Browser.SignIn("alice", ("prompt", "login"));
        Assert.Equal(sid, Assert.Single(Provider.SessionsOf("u-1001")));

        await Browser.SignIn("bob");
        Assert.NotEqual(sid, Assert.Single(Provider.SessionsOf("u-1002")));
    }

    [Fact]
    public async Task Flawed_id_tokens_can_be_requested()
    {
        Provider.IdTokenFlaw = TokenFlaw.ForeignSignature;
        var tokens = await Browser.Tokens();

        Assert.False((await Browser.Validate((string)tokens["id_token"]!, "web-bff", "JWT")).IsValid);
        Assert.True((await Browser.Validate((string)tokens["access_token"]!, "bff", "at+jwt")).IsValid);
    }
}
