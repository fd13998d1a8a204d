namespace PartnerBff.Tests.Portal;

/// <summary>The portal with providers whose tokens hold only what the standards require.</summary>
public sealed class SparseTokenTests(SharedSurroundings surroundings) : PortalTest(surroundings)
{
    [Theory]
    [InlineData("RS256", "\"partner-portal\"")]
    [InlineData("PS256", "[\"partner-portal\"]")]
    [InlineData("ES256", "[\"another\",\"partner-portal\"]")]
    public async Task A_user_manages_an_account_with_only_a_subject_a_tenant_and_a_role_in_the_token(string algorithm, string audience)
    {
        await using var provider = await SparseProvider.Start(algorithm);
        provider.Change = (_, claims) =>
        {
            (claims["tid"], claims["roles"], claims["aud"]) = ("acme", "partner-admin", JsonNode.Parse(audience));
            if (claims["aud"] is JsonArray { Count: > 1 })
            {
                claims["azp"] = "partner-portal";
            }
        };
        var person = new Person(StartPortal(new() { ["Session:Authority"] = provider.Address }));

        using var begun = await person.Get("/portal/login?returnUrl=%2Fportal");
        using var back = await person.Http.GetAsync(provider.SignIn(begun.Headers.Location!));
        var page = await Page(await person.Get("/portal"));

        Assert.Equal("/portal", back.Headers.Location!.OriginalString);
        Assert.Contains("sparse", page, StringComparison.Ordinal); // The subject is shown in place of the missing name.
    }

    /// <summary>The settings of sign-in also apply to the portal.</summary>
    [Fact]
    public async Task The_portal_signs_in_with_the_settings_of_a_companys_provider()
    {
        await using var provider = await SparseProvider.Start();
        provider.TakesPushes = true;
        provider.UserInfo = new() { ["sub"] = "sparse", ["name"] = "Ada Lovelace" };
        provider.Change = (_, claims) => (claims["org"], claims["access"]) = ("acme", JsonNode.Parse("{\"roles\":[\"partner-admin\"]}"));
        var person = new Person(
            StartPortal(
                new()
                {
                    ["Session:Provider"] = "company",
                    ["Session:Authority"] = provider.Address,
                    ["Session:ClientAuthentication"] = "Post",
                    ["Session:AuthorizeParameters:audience"] = "https://api.example",
                    ["Session:LoginParameters:0"] = "login_hint",
                    ["Authentication:Providers:company:Authority"] = provider.Address,
                    ["Authentication:Providers:company:RequireHttpsMetadata"] = "false",
                    ["Authentication:Providers:company:ValidAudiences:0"] = "api",
                    ["Authentication:Providers:company:Claims:Tenant:0"] = "org",
                    ["Authentication:Providers:company:Claims:Roles:0"] = "access.roles",
                }
            )
        );

        using var begun = await person.Get("/portal/login?returnUrl=%2Fportal&login_hint=ada");
        using var back = await person.Http.GetAsync(provider.SignIn(begun.Headers.Location!));
        var page = await Page(await person.Get("/portal"));

        Assert.Equal("/portal", back.Headers.Location!.OriginalString);
        Assert.Contains("Ada Lovelace", page, StringComparison.Ordinal);
        var pushed = provider.Asked.First();
        Assert.Equal(
            ("/par", "https://api.example", "ada", ""),
            (pushed["path"], pushed["audience"], pushed["login_hint"], pushed["authorization"])
        );
        Assert.All(provider.Asked, a => Assert.True(a.ContainsKey("client_secret")));
    }

    [Fact]
    public async Task Without_a_role_the_sign_in_succeeds_and_the_page_says_what_is_missing()
    {
        await using var provider = await SparseProvider.Start();
        var person = new Person(StartPortal(new() { ["Session:Authority"] = provider.Address }));

        using var begun = await person.Get("/portal/login?returnUrl=%2Fportal");
        using var back = await person.Http.GetAsync(provider.SignIn(begun.Headers.Location!));

        Assert.Equal(HttpStatusCode.Redirect, back.StatusCode);
        Assert.Contains("partner-admin", await Page(await person.Get("/portal"), 403), StringComparison.Ordinal);
    }
}
