using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace WebBff.Tests.Sessions;

/// <summary>Provider answers that the framework's sign-in handler would accept, repeat or fail on, and this host does not.</summary>
public sealed class ProviderAnswerTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Theory]
    [InlineData("code", "another")]
    [InlineData("iss", "https://evil.example")]
    [InlineData("error", "access_denied")]
    [InlineData("id_token", "e30.e30.")]
    [InlineData("access_token", "stolen")]
    public async Task A_repeated_or_foreign_parameter_signs_nobody_in_and_sends_no_code(string name, string value)
    {
        var browser = NewBrowser(Start());
        var back = await browser.Choose(await browser.Begin(), "alice");
        var codes = Surroundings.Identity.Calls[IdentityEndpoint.Token];

        using var answer = await browser.Follow(new Uri(QueryHelpers.AddQueryString(back.OriginalString, name, value)));

        Assert.True(answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Forbidden, $"{answer.StatusCode}");
        Assert.Null(browser.Session);
        Assert.Equal(codes, Surroundings.Identity.Calls[IdentityEndpoint.Token]);
    }

    [Fact]
    public async Task A_providers_text_about_a_refusal_reaches_neither_the_log_nor_the_browser()
    {
        var host = Start();
        var browser = NewBrowser(host);
        var back = await browser.Choose(await browser.Begin(), "alice");

        var refusal = Browser.With(
            Browser.With(Browser.With(back, "code", null), "error", "access_denied"),
            "error_description",
            "Ada Lovelace is locked"
        );
        using var answer = await browser.Follow(refusal);

        var problem = await Problem(answer, 403, "forbidden");
        Assert.DoesNotContain("Lovelace", problem.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains(host.Log.Entries, e => e.Message.Contains("sign-in failed", StringComparison.Ordinal));
        Assert.All(host.Log.Entries, e => Assert.DoesNotContain("Lovelace", e.Message + e.Exception, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("access_denied", 403, "forbidden")]
    [InlineData("login_required", 403, "forbidden")]
    [InlineData("temporarily_unavailable", 503, "upstream_unavailable")]
    [InlineData("server_error", 503, "upstream_unavailable")]
    public async Task An_outage_that_the_provider_reports_through_the_browser_is_not_a_refusal(string error, int status, string code)
    {
        var browser = NewBrowser(Start());
        var back = await browser.Choose(await browser.Begin(), "alice");

        using var answer = await browser.Follow(Browser.With(Browser.With(back, "code", null), "error", error));

        await Problem(answer, status, code);
        Assert.Equal(status == 503, answer.Headers.RetryAfter is not null);
        Assert.Null(browser.Session);
    }

    [Theory]
    [InlineData("Auto", "none", true)]
    [InlineData("Auto", "[]", true)]
    [InlineData("Auto", """{"sub":"sparse","name":"Ada","name":"Mallory"}""", true)]
    [InlineData("Auto", """{"sub":"sparse","\ud800":1}""", true)]
    [InlineData("Auto", """{"sub":"sparse","name":"\ud800"}""", true)]
    [InlineData("Auto", """{"sub":"\ud800"}""", true)]
    [InlineData("Always", "none", false)]
    [InlineData("Always", """{"sub":"sparse","name":"Ada","name":"Mallory"}""", false)]
    public async Task Unreadable_user_info_adds_nothing_and_ends_a_sign_in_only_if_it_is_required(string setting, string said, bool signsIn)
    {
        await using var provider = await SparseProvider.Start();
        provider.ChangeDiscovery = document => document["userinfo_endpoint"] = provider.Address + "/userinfo";
        provider.UserInfoText = said == "none" ? null : said;
        using var browser = NewBrowser(Start(new() { ["Session:Authority"] = provider.Address, ["Session:UserInfo"] = setting }));

        using var begun = await browser.Send(HttpMethod.Get, "/bff/login");
        using var back = await browser.Follow(provider.SignIn(begun.Headers.Location!));

        if (signsIn)
        {
            Assert.Equal(HttpStatusCode.Found, back.StatusCode);
            Assert.Null((string?)(await browser.User())["name"]);
        }
        else
        {
            await Problem(back, 503, "upstream_unavailable");
            Assert.Null(browser.Session);
        }
    }

    /// <summary>RFC 6749 section 5.1 requires a JSON object. Other JSON, or text that is no JSON, is not a valid answer.</summary>
    [Theory]
    [InlineData("[]")]
    [InlineData("\"tokens\"")]
    [InlineData("7")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"access_token":[],"token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"\ud800","token_type":"Bearer"}""")]
    [InlineData("<html>")]
    [InlineData("")]
    public async Task An_invalid_token_answer_counts_as_an_outage_and_does_not_prevent_signing_out(string text)
    {
        await using var provider = await SparseProvider.Start();
        provider.ChangeDiscovery = document => document["revocation_endpoint"] = provider.Address + "/revoke";
        provider.ChangeAnswer = answer => answer["refresh_token"] = "next";
        var host = Start(new() { ["Session:Authority"] = provider.Address });
        using var browser = NewBrowser(host);
        using var begun = await browser.Send(HttpMethod.Get, "/bff/login");
        provider.PostedText = text;

        using var back = await browser.Follow(provider.SignIn(begun.Headers.Location!));
        await Problem(back, 503, "upstream_unavailable");
        Assert.Null(browser.Session);

        provider.PostedText = null;
        using var again = await browser.Send(HttpMethod.Get, "/bff/login");
        using var signedIn = await browser.Follow(provider.SignIn(again.Headers.Location!));
        provider.PostedText = text;
        using var signedOut = await browser.Send(HttpMethod.Get, (string)(await browser.User())["logoutUrl"]!);

        Assert.Equal((HttpStatusCode.Found, HttpStatusCode.Found), (signedIn.StatusCode, signedOut.StatusCode));
        Assert.Contains(provider.Asked, asked => asked["path"] == "/revoke" && asked["token"] == "next");
        Assert.DoesNotContain(host.Log.Entries, e => e.Level >= LogLevel.Error);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"request_uri":7}""")]
    public async Task An_invalid_answer_to_a_pushed_request_counts_as_an_outage(string text)
    {
        await using var provider = await SparseProvider.Start();
        provider.TakesPushes = true;
        provider.PostedText = text;
        using var browser = NewBrowser(Start(new() { ["Session:Authority"] = provider.Address }));

        using var begun = await browser.Send(HttpMethod.Get, "/bff/login");

        await Problem(begun, 503, "upstream_unavailable");
    }

    /// <summary>Browsers keep no cookie of more than 4096 bytes.</summary>
    [Fact]
    public async Task A_return_address_of_maximum_length_is_kept_and_one_that_is_longer_when_escaped_is_refused()
    {
        var longest = "/" + new string('a', 2047);
        var browser = NewBrowser(Start());

        using var back = await browser.TrySignIn(returnUrl: longest);
        using var grown = await browser.Send(
            HttpMethod.Get,
            "/bff/login?returnUrl=" + Uri.EscapeDataString("/" + new string('\u00e9', 400))
        );

        Assert.Equal(longest, back.Headers.Location!.OriginalString);
        await Problem(grown, 400, "validation_failed");
    }
}
