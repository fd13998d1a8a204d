namespace WebBff.Tests.Sessions;

/// <summary>Behind a proxy that ends TLS, as in production.</summary>
public sealed class CookieTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private const string NewChromium = "\"Chromium\";v=\"150\", \"Not)A;Brand\";v=\"24\"";

    [Theory]
    [InlineData(null, "__Host-bff")]
    [InlineData("\"Chromium\";v=\"139\", \"Not)A;Brand\";v=\"24\"", "__Host-bff")]
    [InlineData(NewChromium, "__Host-Http-bff")]
    public async Task Over_https_the_cookies_name_keeps_other_hosts_and_scripts_away(string? brands, string name)
    {
        var host = Start(new() { ["ForwardedHeaders:KnownProxies:0"] = "127.0.0.1", ["PublicUrl"] = "http://127.0.0.1:8082" });
        (string, string)[] headers = brands is null ? [("X-Forwarded-Proto", "https")] : [("X-Forwarded-Proto", "https"), ("Sec-CH-UA", brands)];
        var browser = NewBrowser(host);
        using var begun = await browser.Send(HttpMethod.Get, "/bff/login", headers);
        var login = begun.Headers.GetValues("Set-Cookie").Single();
        var back = await browser.Choose(begun.Headers.Location!.Query, "alice");

        using var answer = await browser.Send(HttpMethod.Get, back.PathAndQuery, [.. headers, ("Cookie", login[..login.IndexOf(';', StringComparison.Ordinal)])]);

        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"), c => c.StartsWith(name + "=", StringComparison.Ordinal));
        Assert.EndsWith("; path=/; secure; samesite=lax; httponly", cookie, StringComparison.Ordinal);
        using var user = await browser.Send(HttpMethod.Get, "/bff/user", [.. headers, ("Cookie", cookie[..cookie.IndexOf(';', StringComparison.Ordinal)])]);
        Assert.Equal(HttpStatusCode.OK, user.StatusCode);
        using var plain = await browser.Send(HttpMethod.Get, "/bff/user", ("Cookie", cookie[..cookie.IndexOf(';', StringComparison.Ordinal)]));
        await Problem(plain, 401, "missing_token");
    }
}
