using System.Net;
using System.Threading.Channels;
using Bff.Dev.IdentityProvider;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Bff.EndToEnd.Tests.IdentityProvider;

public sealed class SignOutTests : IdentityProviderTests
{
    [Fact]
    public async Task End_session_signs_out_and_returns_to_the_client()
    {
        var tokens = await Browser.Tokens();

        using var answer = await EndSession(
            ("client_id", "web-bff"),
            ("logout_hint", "u-1001"),
            ("post_logout_redirect_uri", "http://127.0.0.1:54321/"),
            ("state", "s")
        );

        Assert.Equal("http://127.0.0.1:54321/?state=s", answer.Headers.Location?.OriginalString);
        Assert.Equal("login_required", (await Browser.Authorize(("prompt", "none")))["error"]);
        Assert.Equal("invalid_grant", (string?)(await Browser.Refresh((string)tokens["refresh_token"]!))["error"]);
    }

    [Fact]
    public async Task End_session_goes_nowhere_unregistered()
    {
        await Browser.Tokens();

        using var answer = await EndSession(("client_id", "web-bff"), ("post_logout_redirect_uri", "https://attacker.example/"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("code", await Browser.Authorize(("prompt", "none")));
    }

    [Fact]
    public async Task End_session_for_somebody_else_asks_first()
    {
        await Browser.Tokens();

        using var answer = await EndSession(("client_id", "web-bff"), ("logout_hint", "u-1002"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("Sign out?", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("code", await Browser.Authorize(("prompt", "none")));
    }

    [Fact]
    public async Task Back_channel_call_arrives_with_a_valid_logout_token()
    {
        await using var client = await Listener.StartAsync();
        Provider.Options.Clients["web-bff"].BackchannelLogoutUri = client.Address;
        await Browser.Tokens();
        var sid = Assert.Single(Provider.SessionsOf("u-1001"));

        var delivery = Assert.Single(await Provider.SignOutAsync(sid: sid));

        Assert.Equal(new BackchannelDelivery("web-bff", 200), delivery);
        var token = await client.NextLogoutToken();
        var result = await Browser.Validate(token, "web-bff", "logout+jwt");
        Assert.True(result.IsValid, result.Exception?.Message);
        Assert.Equal("u-1001", result.Claims["sub"]);
        Assert.Equal(sid, result.Claims["sid"]);
        Assert.Contains("jti", result.Claims);
        Assert.DoesNotContain("nonce", result.Claims);
        Assert.Contains(
            "http://schemas.openid.net/event/backchannel-logout",
            new JsonWebToken(token).GetPayloadValue<object>("events").ToString()!,
            StringComparison.Ordinal
        );
        Assert.Equal("login_required", (await Browser.Authorize(("prompt", "none")))["error"]);
    }

    [Fact]
    public async Task End_session_also_tells_the_clients_of_the_session()
    {
        await using var client = await Listener.StartAsync();
        Provider.Options.Clients["web-bff"].BackchannelLogoutUri = client.Address;
        await Browser.Tokens();

        using var answer = await EndSession(("client_id", "web-bff"));

        Assert.True((await Browser.Validate(await client.NextLogoutToken(), "web-bff", "logout+jwt")).IsValid);
    }

    [Fact]
    public async Task A_client_that_is_unavailable_does_not_keep_a_user_signed_in()
    {
        Provider.Options.Clients["web-bff"].BackchannelLogoutUri = new Uri("http://127.0.0.1:1/");
        await Browser.Tokens();

        Assert.Null(Assert.Single(await Provider.SignOutAsync(sub: "u-1001")).StatusCode);
        Assert.Empty(Provider.SessionsOf("u-1001"));
    }

    [Fact]
    public void Broken_logout_tokens_can_be_built()
    {
        var token = new JsonWebToken(Provider.CreateLogoutToken("web-bff", "u-1001", "s", TokenFlaw.MissingEvents | TokenFlaw.WithNonce));

        Assert.True(token.TryGetClaim("nonce", out _));
        Assert.False(token.TryGetClaim("events", out _));
    }

    private Task<HttpResponseMessage> EndSession(params (string Name, string? Value)[] asked) =>
        Browser.Http.GetAsync(
            QueryHelpers.AddQueryString("/end-session", asked.Select(pair => KeyValuePair.Create(pair.Name, pair.Value)))
        );

    /// <summary>A client's back-channel endpoint.</summary>
    private sealed class Listener(WebApplication app, Channel<string> tokens) : IAsyncDisposable
    {
        public Uri Address => new(app.Urls.First() + "/backchannel");

        public static async Task<Listener> StartAsync()
        {
            var tokens = Channel.CreateUnbounded<string>();
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            app.MapPost(
                "/backchannel",
                async (HttpContext context) =>
                    await tokens.Writer.WriteAsync((await context.Request.ReadFormAsync())["logout_token"].ToString())
            );
            await app.StartAsync();
            return new Listener(app, tokens);
        }

        public async Task<string> NextLogoutToken() => await tokens.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
