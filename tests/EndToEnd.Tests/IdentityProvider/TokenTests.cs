using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bff.Dev.IdentityProvider;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Bff.EndToEnd.Tests.IdentityProvider;

public sealed class TokenTests : IdentityProviderTests
{
    [Fact]
    public async Task Refresh_rotates_and_reuse_of_an_old_one_revokes_the_family()
    {
        var first = await Browser.Tokens();
        var second = await Browser.Refresh((string)first["refresh_token"]!);
        Assert.Equal(200, (int)second["status"]!);
        Assert.NotEqual((string)first["refresh_token"]!, (string)second["refresh_token"]!);
        Assert.True((bool)(await Browser.Introspect((string)second["access_token"]!))["active"]!);

        Assert.Equal("invalid_grant", (string?)(await Browser.Refresh((string)first["refresh_token"]!))["error"]);

        Assert.Equal("invalid_grant", (string?)(await Browser.Refresh((string)second["refresh_token"]!))["error"]);
        Assert.False((bool)(await Browser.Introspect((string)second["access_token"]!))["active"]!);
        Assert.Equal(3, Provider.Calls[IdentityEndpoint.Refresh]);
    }

    [Fact]
    public async Task Exactly_one_of_racing_refreshes_with_one_token_is_answered()
    {
        var refreshToken = (string)(await Browser.Tokens())["refresh_token"]!;
        Provider.Faults[IdentityEndpoint.Refresh] = FaultMode.Hang;
        var racing = Enumerable.Range(0, 8).Select(_ => Browser.Refresh(refreshToken)).ToArray();
        await Provider.Calls.Reaches(IdentityEndpoint.Refresh, 8).WaitAsync(TimeSpan.FromSeconds(30));

        Provider.Faults[IdentityEndpoint.Refresh] = FaultMode.None;

        var answers = await Task.WhenAll(racing);
        Assert.Single(answers, answer => (int)answer["status"]! == 200);
    }

    [Fact]
    public async Task Refresh_token_of_one_client_is_refused_for_another_and_stays_valid()
    {
        var refreshToken = (string)(await Browser.Tokens())["refresh_token"]!;

        Assert.Equal("invalid_grant", (string?)(await Browser.Refresh(refreshToken, "partner-portal"))["error"]);
        Assert.Equal(200, (int)(await Browser.Refresh(refreshToken))["status"]!);
    }

    [Fact]
    public async Task Client_credentials_give_the_clients_tenant_and_scopes_and_no_more()
    {
        var tokens = await Browser.Post(
            "/token",
            "partner-acme",
            ("grant_type", "client_credentials"),
            ("scope", "orders.read products.read")
        );

        var access = await Browser.Validate((string)tokens["access_token"]!, "bff", "at+jwt");
        Assert.True(access.IsValid, access.Exception?.Message);
        Assert.Equal("acme", access.Claims["tid"]);
        Assert.Equal("orders.read products.read", access.Claims["scope"]);
        Assert.Null(tokens["refresh_token"]);
        var beyond = await Browser.Post("/token", "partner-acme", ("grant_type", "client_credentials"), ("scope", "tokens.revoke"));
        Assert.Equal("invalid_scope", (string?)beyond["error"]);
    }

    [Fact]
    public async Task Secret_in_the_form_is_taken_a_wrong_one_is_401_and_two_ways_at_once_are_refused()
    {
        async Task<HttpStatusCode> Ask(string id, string secret)
        {
            using var form = new FormUrlEncodedContent(
                new Dictionary<string, string>
                {
                    ["grant_type"] = "client_credentials",
                    ["client_id"] = id,
                    ["client_secret"] = secret,
                }
            );
            using var answer = await Browser.Http.PostAsync("/token", form);
            return answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, await Ask("internal-service", "internal-service-development-secret"));
        Assert.Equal(HttpStatusCode.Unauthorized, await Ask("internal-service", "wrong"));
        Assert.Equal(HttpStatusCode.BadRequest, await Ask("web-bff", "web-bff-development-secret"));
        var twice = await Browser.Post(
            "/token",
            "internal-service",
            ("grant_type", "client_credentials"),
            ("client_secret", "internal-service-development-secret")
        );
        Assert.Equal(401, (int)twice["status"]!);
    }

    [Fact]
    public async Task Opaque_token_is_introspected_until_it_is_revoked()
    {
        Provider.Options.Clients["web-bff"].AccessTokenType = AccessTokenType.Opaque;
        var token = (string)(await Browser.Tokens())["access_token"]!;
        Assert.DoesNotContain('.', token);

        var facts = await Browser.Introspect(token);
        Assert.True((bool)facts["active"]!);
        Assert.Equal("u-1001", (string?)facts["sub"]);

        Assert.Equal(200, (int)(await Browser.Post("/revoke", "web-bff", ("token", token)))["status"]!);
        Assert.False((bool)(await Browser.Introspect(token))["active"]!);
    }

    [Fact]
    public async Task Introspection_calls_expired_foreign_and_unknown_tokens_inactive_and_needs_a_client()
    {
        var token = (string)(await Browser.Tokens())["access_token"]!;
        Clock.Advance(TimeSpan.FromMinutes(11));

        Assert.False((bool)(await Browser.Introspect(token))["active"]!);
        Assert.False((bool)(await Browser.Introspect(Provider.MintToken(new() { Flaw = TokenFlaw.ForeignSignature })))["active"]!);
        Assert.False((bool)(await Browser.Introspect("a.b.c"))["active"]!);
        Assert.True((bool)(await Browser.Introspect(Provider.MintToken()))["active"]!);
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("token", token)]);
        using var nobody = await Browser.Http.PostAsync("/introspect", form);
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    [Fact]
    public async Task Revoked_refresh_token_is_refused()
    {
        var refreshToken = (string)(await Browser.Tokens())["refresh_token"]!;
        await Browser.Post("/revoke", "web-bff", ("token", refreshToken));

        Assert.Equal("invalid_grant", (string?)(await Browser.Refresh(refreshToken))["error"]);
    }

    [Fact]
    public async Task Userinfo_tells_about_the_bearer_and_refuses_others()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/userinfo");
        request.Headers.Authorization = new("Bearer", (string)(await Browser.Tokens("carol"))["access_token"]!);
        using var answer = await Browser.Http.SendAsync(request);

        Assert.Equal("u-1003", (string?)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["sub"]);
        using var nobody = await Browser.Http.GetAsync("/userinfo");
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    [Fact]
    public async Task Rotation_keeps_old_tokens_good_until_their_key_is_withdrawn()
    {
        var old = Provider.MintToken();
        var oldKey = new JsonWebToken(old).Kid;
        Provider.RotateKeys();
        var fresh = Provider.MintToken();

        Assert.NotEqual(oldKey, new JsonWebToken(fresh).Kid);
        Assert.True((await Browser.Validate(old, "bff", "at+jwt")).IsValid);
        using var withdrawal = await Browser.Http.PostAsJsonAsync("/__keys/withdraw", new { kid = oldKey });
        Assert.True((bool)(await withdrawal.Content.ReadFromJsonAsync<JsonObject>())!["withdrawn"]!);
        Assert.False((await Browser.Validate(old, "bff", "at+jwt")).IsValid);
        Assert.False((await Browser.Validate(Provider.MintToken(new() { Kid = oldKey }), "bff", "at+jwt")).IsValid);
        Assert.True((await Browser.Validate(fresh, "bff", "at+jwt")).IsValid);
        Assert.DoesNotContain(oldKey, Provider.PublishedKeys);
    }

    [Fact]
    public async Task Minted_token_has_the_requested_claims()
    {
        using var answer = await Browser.Http.PostAsJsonAsync(
            "/__token",
            new
            {
                sub = "u-7",
                tid = "globex",
                roles = new[] { "a", "b" },
                scope = "orders.read",
                client_id = "c",
                aud = "x",
                expiresIn = 30,
                alg = "ES256",
                email = "e@example.com",
                name = "N",
                extra = new { plan = "pro" },
            }
        );
        var token = (string)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["access_token"]!;

        var result = await Browser.Validate(token, "x", "at+jwt");
        Assert.True(result.IsValid, result.Exception?.Message);
        Assert.Equal("ES256", new JsonWebToken(token).Alg);
        Assert.Equal("u-7", result.Claims["sub"]);
        Assert.Equal("pro", result.Claims["plan"]);
        Assert.Equal(2, ((IEnumerable<object>)result.Claims["roles"]).Count());
    }

    [Theory]
    [InlineData(TokenFlaw.WrongIssuer)]
    [InlineData(TokenFlaw.WrongAudience)]
    [InlineData(TokenFlaw.Expired)]
    [InlineData(TokenFlaw.IssuedInTheFuture)]
    [InlineData(TokenFlaw.ForeignSignature)]
    [InlineData(TokenFlaw.NoSignature)]
    [InlineData(TokenFlaw.PublicKeyAsSecret)]
    [InlineData(TokenFlaw.UnknownKey)]
    [InlineData(TokenFlaw.WrongType)]
    [InlineData(TokenFlaw.MissingExpiry)]
    public async Task Flawed_token_is_refused_by_a_careful_reader(TokenFlaw flaw)
    {
        Assert.False((await Browser.Validate(Provider.MintToken(new() { Flaw = flaw }), "bff", "at+jwt")).IsValid);
    }
}
