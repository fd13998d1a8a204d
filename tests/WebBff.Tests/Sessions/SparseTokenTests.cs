namespace WebBff.Tests.Sessions;

/// <summary>Providers whose tokens hold only what the standards require, and what a token may not leave out or get wrong.</summary>
public sealed class SparseTokenTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Theory]
    [InlineData("RS256")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    [InlineData("ES256")]
    [InlineData("ES384")]
    public async Task A_user_signs_in_at_a_provider_that_sends_only_required_claims(string algorithm)
    {
        await using var provider = await SparseProvider.Start(algorithm);
        using var browser = NewBrowser(Start(At(provider)));

        using var back = await SignIn(browser, provider);
        var user = await browser.User();

        Assert.Equal(HttpStatusCode.Found, back.StatusCode);
        Assert.Equal(("sparse", null, null), ((string?)user["sub"], (string?)user["name"], (string?)user["email"]));
        Assert.Empty(user["roles"]!.AsArray());
    }

    [Fact]
    public async Task A_session_may_call_the_api_at_a_provider_that_grants_only_scopes_of_its_own()
    {
        await using var provider = await SparseProvider.Start();
        provider.ChangeAnswer = answer => answer["scope"] = "openid https://www.googleapis.com/auth/userinfo.email";
        using var browser = NewBrowser(Start(At(provider)));

        await SignIn(browser, provider);
        using var orders = await browser.Get("/api/orders?limit=1");

        Assert.Equal(HttpStatusCode.OK, orders.StatusCode);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("JWT", true)]
    [InlineData("jwt", true)]
    [InlineData("application/jwt", true)]
    [InlineData("at+jwt", false)]
    [InlineData("logout+jwt", false)]
    public async Task A_tokens_type_may_be_missing_but_not_wrong(string? type, bool isGood)
    {
        await using var provider = await SparseProvider.Start();
        if (type is not null)
        {
            provider.Change = (header, _) => header["typ"] = type;
        }

        await Expect(provider, isGood);
    }

    /// <summary>RFC 7515 section 4.1.11: the host understands no extension, so it refuses a token that requires one.</summary>
    [Fact]
    public async Task A_token_with_an_extension_that_must_be_understood_is_refused()
    {
        await using var provider = await SparseProvider.Start();
        provider.Change = (header, _) => header["crit"] = new JsonArray("exp");

        await Expect(provider, isGood: false);
    }

    /// <summary>
    /// Section 3.1.3.7, steps 3 to 5: other audiences are accepted only if the token names this client as the authorized party.
    /// </summary>
    [Theory]
    [InlineData("""["web-bff"]""", null, true)]
    [InlineData("""["web-bff"]""", "web-bff", true)]
    [InlineData("""["web-bff","another"]""", "web-bff", true)]
    [InlineData("""["another","web-bff"]""", "web-bff", true)]
    [InlineData("""["web-bff","another"]""", null, false)]
    [InlineData("""["web-bff","another"]""", "another", false)]
    [InlineData("""["web-bff"]""", "another", false)]
    [InlineData("""["another"]""", "web-bff", false)]
    [InlineData("""[]""", "web-bff", false)]
    public async Task The_audience_may_be_a_list(string audience, string? authorizedParty, bool isGood)
    {
        await using var provider = await SparseProvider.Start();
        provider.Change = (_, claims) =>
        {
            claims["aud"] = JsonNode.Parse(audience);
            if (authorizedParty is not null)
            {
                claims["azp"] = authorizedParty;
            }
        };

        await Expect(provider, isGood);
    }

    [Theory]
    [InlineData("iss")]
    [InlineData("sub")]
    [InlineData("aud")]
    [InlineData("exp")]
    [InlineData("iat")]
    [InlineData("nonce")]
    public async Task Claims_that_the_standard_requires_are_required(string claim)
    {
        await using var provider = await SparseProvider.Start();
        provider.Change = (_, claims) => claims.Remove(claim);

        await Expect(provider, isGood: false);
    }

    /// <summary>RFC 7517 section 5: a key that cannot be read is ignored.</summary>
    [Theory]
    [InlineData("[]")]
    [InlineData("""{"kty":"RSA","kid":7,"n":"AQAB","e":"AQAB"}""")]
    [InlineData("""{"kty":"RSA","kid":"other","alg":5,"n":"AQAB","e":"AQAB"}""")]
    [InlineData("""{"kty":"RSA","kid":"other","key_ops":"verify","n":"AQAB","e":"AQAB"}""")]
    public async Task A_published_key_that_cannot_be_read_does_not_invalidate_the_others(string key)
    {
        await using var provider = await SparseProvider.Start();
        provider.OtherKey = JsonNode.Parse(key);

        await Expect(provider, isGood: true);
    }

    [Fact]
    public async Task A_key_that_the_provider_replaces_under_the_same_id_is_followed()
    {
        await using var provider = await SparseProvider.Start();
        provider.KeyId = "only";
        provider.Change = (header, _) => header["kid"] = "only";
        var (host, clock) = StartClocked(At(provider));
        using var first = NewBrowser(host);
        using var before = await SignIn(first, provider);
        provider.ReplaceKey();
        clock.Advance(TimeSpan.FromSeconds(3)); // The keys are read at most every two seconds.
        using var second = NewBrowser(host);

        using var after = await SignIn(second, provider);

        Assert.Equal((HttpStatusCode.Found, HttpStatusCode.Found), (before.StatusCode, after.StatusCode));
        await second.User();
    }

    private static Dictionary<string, string?> At(SparseProvider provider) => new() { ["Session:Authority"] = provider.Address };

    private static async Task<HttpResponseMessage> SignIn(Browser browser, SparseProvider provider)
    {
        using var begun = await browser.Send(HttpMethod.Get, "/bff/login");
        Assert.Equal(HttpStatusCode.Found, begun.StatusCode);
        return await browser.Follow(provider.SignIn(begun.Headers.Location!));
    }

    private async Task Expect(SparseProvider provider, bool isGood)
    {
        using var browser = NewBrowser(Start(At(provider)));
        using var back = await SignIn(browser, provider);
        if (isGood)
        {
            Assert.Equal(HttpStatusCode.Found, back.StatusCode);
            await browser.User();
        }
        else
        {
            await Problem(back, 400, "malformed_request");
            Assert.Null(browser.Session);
        }
    }
}
