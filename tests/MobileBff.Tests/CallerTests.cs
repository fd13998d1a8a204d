using System.Net.Http.Headers;

namespace MobileBff.Tests;

public sealed class CallerTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task A_request_without_a_token_is_refused()
    {
        var response = await Start().Get("/home-feed", user: null);

        await Problem(response, 401, "missing_token");
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.First().Scheme);
        Assert.Equal(0, Upstream.Users.Calls.Count);
    }

    [Theory]
    [InlineData(TokenFlaw.ForeignSignature, "invalid_token")]
    [InlineData(TokenFlaw.NoSignature, "invalid_token")]
    [InlineData(TokenFlaw.WrongAudience, "invalid_token")]
    [InlineData(TokenFlaw.WrongIssuer, "invalid_token")]
    [InlineData(TokenFlaw.Expired, "token_expired")]
    public async Task A_bad_token_is_refused(TokenFlaw flaw, string code)
    {
        var host = Start();
        var request = new HttpRequestMessage(HttpMethod.Get, "/home-feed");
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            Surroundings.Identity.MintToken(new TokenRequest { Flaw = flaw })
        );

        await Problem(await host.Client.SendAsync(request), 401, code);

        Assert.Equal(0, Upstream.Users.Calls.Count);
    }

    [Fact]
    public async Task A_token_without_the_api_scope_is_forbidden()
    {
        var host = Start();
        var request = new HttpRequestMessage(HttpMethod.Get, "/home-feed");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Surroundings.Token(scope: "openid"));

        await Problem(await host.Client.SendAsync(request), 403, "insufficient_scope");
    }
}
