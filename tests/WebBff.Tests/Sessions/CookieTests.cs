namespace WebBff.Tests.Sessions;

/// <summary>Runs behind a proxy that terminates TLS, as in production.</summary>
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
        (string, string)[] headers = brands is null
            ? [("X-Forwarded-Proto", "https")]
            : [("X-Forwarded-Proto", "https"), ("Sec-CH-UA", brands)];
        var browser = NewBrowser(host);
        using var begun = await browser.Send(HttpMethod.Get, "/bff/login", headers);
        var login = begun.Headers.GetValues("Set-Cookie").Single();
        var back = await browser.Choose(begun.Headers.Location!.Query, "alice");

        using var answer = await browser.Send(
            HttpMethod.Get,
            back.PathAndQuery,
            [.. headers, ("Cookie", login[..login.IndexOf(';', StringComparison.Ordinal)])]
        );

        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"), c => c.StartsWith(name + "=", StringComparison.Ordinal));
        Assert.EndsWith("; path=/; secure; samesite=lax; httponly", cookie, StringComparison.Ordinal);
        using var user = await browser.Send(
            HttpMethod.Get,
            "/bff/user",
            [.. headers, ("Cookie", cookie[..cookie.IndexOf(';', StringComparison.Ordinal)])]
        );
        Assert.Equal(HttpStatusCode.OK, user.StatusCode);
        using var plain = await browser.Send(
            HttpMethod.Get,
            "/bff/user",
            ("Cookie", cookie[..cookie.IndexOf(';', StringComparison.Ordinal)])
        );
        await Problem(plain, 401, "missing_token");
    }

    [Fact]
    public async Task A_cookie_that_another_host_could_have_set_is_no_credential_and_begins_no_session()
    {
        var host = Start(new() { ["ForwardedHeaders:KnownProxies:0"] = "127.0.0.1" });
        var browser = NewBrowser(host);
        (string, string)[] Https(string cookie) => [("X-Forwarded-Proto", "https"), ("X-CSRF", "1"), ("Cookie", cookie)];
        using var begun = await browser.Send(HttpMethod.Get, "/bff/login", ("X-Forwarded-Proto", "https"));
        var login = begun.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var back = await browser.Choose(begun.Headers.Location!.Query, "alice");
        foreach (
            var tossed in (string[])
                [
                    login["__Host-".Length..],
                    login.Replace("__Host-", "__Secure-", StringComparison.Ordinal),
                    login.Replace("__Host-", "__HOST-", StringComparison.Ordinal),
                    "x=" + login,
                ]
        )
        {
            using var refused = await browser.Send(HttpMethod.Get, back.PathAndQuery, Https(tossed));
            await Problem(refused, 400, "malformed_request");
        }

        using var signedIn = await browser.Send(HttpMethod.Get, back.PathAndQuery, Https(login));
        var session = signedIn
            .Headers.GetValues("Set-Cookie")
            .Single(c => c.StartsWith("__Host-bff=", StringComparison.Ordinal))
            .Split(';')[0];
        var id = session["__Host-bff=".Length..];
        string[] attacks =
        [
            $"bff={id}",
            $"__Secure-bff={id}",
            $"__host-bff={id}",
            $"__HOST-bff={id}",
            $"__Host-BFF={id}",
            $"__host-http-bff={id}",
            $"__Host-bff[]={id}",
            $"__Host-bff =; bff={id}",
            $"__Host-bff={new string('A', 43)}; {session}",
            $"{session}; __Host-bff={new string('A', 43)}",
            $"=__Host-bff={id}",
            $"x=\"; {session}x",
        ];
        foreach (var attack in attacks)
        {
            using var answer = await browser.Send(HttpMethod.Get, "/api/orders", Https(attack));
            Assert.True(answer.StatusCode == HttpStatusCode.Unauthorized, $"{attack}: {answer.StatusCode}");
        }

        using var own = await browser.Send(HttpMethod.Get, "/bff/user", Https($"a=b; {session}; c"));
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
    }
}
