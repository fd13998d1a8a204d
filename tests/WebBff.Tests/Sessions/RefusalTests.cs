namespace WebBff.Tests.Sessions;

/// <summary>Routing refuses a request only after authentication and the check against cross-site requests.</summary>
public sealed class RefusalTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Theory]
    [InlineData("POST", "/api/orders", "text/plain", 415, "unsupported_media_type")]
    [InlineData("PATCH", "/api/profile", "text/plain", 415, "unsupported_media_type")]
    [InlineData("DELETE", "/api/dashboard", null, 405, "method_not_allowed")]
    [InlineData("POST", "/api/nowhere", "application/json", 404, "not_found")]
    public async Task A_cookie_without_the_header_is_403_and_with_it_the_refusal_is_charged_to_the_session(
        string method,
        string path,
        string? type,
        int status,
        string code
    )
    {
        var host = Start(new() { ["Plans:anonymous:Burst"] = "5", ["Plans:anonymous:RequestsPerMinute"] = "1" });
        var browser = await SignedIn(host);

        for (var i = 0; i < 5; i++)
        {
            await Problem(await browser.Send(Request(method, path, type)), 403, "csrf_rejected");
            await Problem(
                await browser.Send(Request(method, path, type, ("X-CSRF", "1"), ("Sec-Fetch-Site", "same-origin"))),
                status,
                code
            );
        }

        using var answer = await browser.Send(Request(method, path, type, ("X-CSRF", "1")));
        Assert.True(answer.Headers.Contains("X-RateLimit-Remaining"));
    }

    [Fact]
    public async Task An_address_with_an_empty_bucket_may_only_sign_out()
    {
        var host = Start(new() { ["Plans:anonymous:Burst"] = "20", ["Plans:anonymous:RequestsPerMinute"] = "1" });
        var browser = await SignedIn(host);
        var logout = (string)(await browser.User())["logoutUrl"]!;
        var others = NewBrowser(host);
        HttpStatusCode last;
        do
        {
            using var nothing = await others.Get("/bff/logout");
            last = nothing.StatusCode;
        } while (last == HttpStatusCode.Redirect);

        using var signedOut = await browser.Get(logout);
        using var again = await browser.Get(logout);

        Assert.Equal(
            (HttpStatusCode.TooManyRequests, HttpStatusCode.Redirect, HttpStatusCode.TooManyRequests),
            (last, signedOut.StatusCode, again.StatusCode)
        );
    }

    [Theory]
    [InlineData("GET", "/bff/user")]
    [InlineData("GET", "/bff/sessions")]
    [InlineData("DELETE", "/bff/sessions")]
    [InlineData("DELETE", "/bff/sessions/any")]
    public async Task A_token_without_a_session_gets_401_with_a_challenge(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new("Bearer", Surroundings.Token("u-1001"));

        using var answer = await Start().Client.SendAsync(request);

        await Problem(answer, 401, "missing_token");
        Assert.Equal("Bearer", Assert.Single(answer.Headers.WwwAuthenticate).Scheme);
    }

    private static HttpRequestMessage Request(string method, string path, string? type, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (type is not null)
        {
            request.Content = new StringContent("{}", new System.Net.Http.Headers.MediaTypeHeaderValue(type));
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }
}
