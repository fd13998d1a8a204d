using System.Net;
using System.Text.Json.Nodes;
using Bff.TestKit;

namespace Bff.Shared.Tests.Callers.Providers;

/// <summary>Tests the caller that results from the access tokens in each provider's documentation.</summary>
public sealed class ProviderTypeTests
{
    private const string Id = "7f3e0c52-9f9d-4f0e-8a51-0d2f5b1f7b11";

    [Fact]
    public async Task Entra_names_the_user_by_oid_and_the_scopes_in_scp()
    {
        await using var seen = await Seen(
            "Entra",
            c =>
                Replace(
                    c,
                    $$"""{"aud":"bff","sub":"pairwise","oid":"{{Id}}","tid":"t-1","azp":"spa","scp":"api","roles":["premium"],"name":"Ada"}"""
                )
        );

        Assert.Equal(
            (Id, "t-1", "spa", "Ada", false),
            (seen.Caller.Subject, seen.Caller.Tenant, seen.Caller.Client, seen.Caller.Name, seen.Caller.IsApplication)
        );
        Assert.Equal(["premium"], seen.Caller.Roles);
        Assert.Equal(["api"], seen.Caller.Scopes); // A user's roles do not count as scopes.
    }

    [Theory]
    [InlineData("""{"aud":"bff","sub":"sp-1","oid":"sp-1","tid":"t-1","azp":"app-1","roles":["api"]}""")]
    [InlineData("""{"aud":"bff","sub":"sp-1","oid":"sp-1","tid":"t-1","appid":"app-1","idtyp":"app","roles":["api"]}""")]
    public async Task An_Entra_application_token_has_roles_as_scopes_and_no_user(string claims)
    {
        await using var seen = await Seen("Entra", c => Replace(c, claims));

        Assert.Equal((true, "app-1", "client:app-1"), (seen.Caller.IsApplication, seen.Caller.Client, seen.Caller.Subject));
        Assert.True(seen.Caller.HasScope("api"));
        Assert.Equal("app-1", seen.Upstream["X-Client-Id"]);
        Assert.False(seen.Upstream.ContainsKey("X-User-Id"));
    }

    [Fact]
    public async Task Keycloak_s_roles_are_those_of_the_realm_and_of_this_audience()
    {
        await using var seen = await Seen(
            "Keycloak",
            c =>
                Replace(
                    c,
                    """
                    {"aud":["bff","account"],"sub":"u-1","azp":"spa","scope":"openid api","realm_access":{"roles":["offline_access","premium"]},
                     "resource_access":{"account":{"roles":["manage-account"]},"bff":{"roles":["buyer"]}}}
                    """
                )
        );

        Assert.Equal(["offline_access", "premium", "buyer"], seen.Caller.Roles);
        Assert.Equal("spa", seen.Caller.Client);
    }

    [Fact]
    public async Task Keycloak_25_gives_client_credentials_no_sub()
    {
        await using var seen = await Seen("Keycloak", c => Replace(c, """{"aud":"bff","azp":"partner","scope":"api"}"""));

        Assert.Equal((true, "client:partner"), (seen.Caller.IsApplication, seen.Caller.Subject));
    }

    /// <summary>An undocumented convention is not assumed: with a generic provider the name may be a user's.</summary>
    [Theory]
    [InlineData("Okta", "cid", "client:partner", true)]
    [InlineData("Generic", "client_id", "partner", false)]
    public async Task A_token_whose_subject_is_its_client_is_an_application_where_the_provider_documents_it(
        string type,
        string claim,
        string subject,
        bool isApplication
    )
    {
        await using var seen = await Seen(
            type,
            c => Replace(c, $$"""{"aud":"bff","sub":"partner","{{claim}}":"partner","scp":"api","scope":"api"}""")
        );

        Assert.Equal((isApplication, subject), (seen.Caller.IsApplication, seen.Caller.Subject));
    }

    [Fact]
    public async Task Auth0_permissions_are_scopes_and_a_claim_name_that_is_a_url_is_read_literally()
    {
        await using var seen = await Seen(
            "Auth0",
            c =>
                Replace(
                    c,
                    """
                    {"aud":["bff","https://tenant.auth0.com/userinfo"],"sub":"auth0|1","azp":"spa","scope":"openid","permissions":["api"],"https://shop.example/roles":["premium"]}
                    """
                ),
            ("Claims:Roles:0", "https://shop.example/roles")
        );

        Assert.Equal("auth0|1", seen.Caller.Subject);
        Assert.Equal(["premium"], seen.Caller.Roles);
        Assert.Equal(["api", "openid"], seen.Caller.Scopes.Order());
    }

    [Fact]
    public async Task Auth0_s_client_credentials_name_the_client_with_a_suffix()
    {
        await using var seen = await Seen(
            "Auth0",
            c => Replace(c, """{"aud":"bff","sub":"partner@clients","azp":"partner","gty":"client-credentials","scope":"api"}""")
        );

        Assert.Equal((true, "client:partner"), (seen.Caller.IsApplication, seen.Caller.Subject));
    }

    [Fact]
    public async Task Okta_names_scopes_in_a_list_roles_in_groups_and_the_client_in_cid()
    {
        await using var seen = await Seen(
            "Okta",
            c =>
                Replace(
                    c,
                    """{"aud":"bff","sub":"ada@example.com","uid":"00u1","cid":"0oa1","scp":["openid","api"],"groups":["premium"]}"""
                )
        );

        Assert.Equal(("0oa1", "ada@example.com"), (seen.Caller.Client, seen.Caller.Subject));
        Assert.Equal(["premium"], seen.Caller.Roles);
    }

    [Fact]
    public async Task Okta_s_client_credentials_tokens_name_the_client_as_the_subject()
    {
        await using var seen = await Seen("Okta", c => Replace(c, """{"aud":"bff","sub":"0oa1","cid":"0oa1","scp":["api"]}"""));

        Assert.True(seen.Caller.IsApplication);
        Assert.False(seen.Upstream.ContainsKey("X-User-Id"));
    }

    [Fact]
    public async Task Cognito_s_access_token_has_no_audience_and_its_groups_are_roles()
    {
        await using var seen = await Seen(
            "Cognito",
            c =>
                Replace(
                    c,
                    """
                    {"sub":"u-1","token_use":"access","client_id":"spa","username":"ada","cognito:groups":["premium"],"scope":"openid shop/api"}
                    """
                ),
            ("AllowedClients:0", "spa"),
            ("ScopePrefix", "shop/")
        );

        Assert.Equal(["premium"], seen.Caller.Roles);
        Assert.Equal(["api", "openid"], seen.Caller.Scopes.Order());
    }

    [Theory]
    [InlineData("""{"sub":"u-1","token_use":"id","client_id":"spa","scope":"api"}""")]
    [InlineData("""{"sub":"u-1","client_id":"spa","scope":"api"}""")]
    [InlineData("""{"sub":"u-1","token_use":"access","client_id":"another","scope":"api"}""")]
    [InlineData("""{"sub":"u-1","token_use":"access","scope":"api"}""")]
    [InlineData("""{"aud":"other","sub":"u-1","token_use":"access","client_id":"spa","scope":"api"}""")]
    public async Task Cognito_s_other_tokens_and_other_clients_are_refused(string claims)
    {
        await using var seen = await Seen("Cognito", c => Replace(c, claims), ("AllowedClients:0", "spa"));

        Assert.Equal("invalid_token", seen.Code);
    }

    [Theory]
    [InlineData("""{"sub":"u-1","scope":"api"}""")]
    [InlineData("""{"sub":"u-1","client_id":"spa","scope":"api"}""")]
    public async Task A_token_without_an_audience_is_refused_when_no_client_is_configured(string claims)
    {
        await using var seen = await Seen("Generic", c => Replace(c, claims));

        Assert.Equal("invalid_token", seen.Code);
    }

    [Fact]
    public async Task A_listed_client_does_not_make_up_for_a_wrong_audience()
    {
        await using var seen = await Seen(
            "Generic",
            c => Replace(c, """{"aud":"other","sub":"u-1","client_id":"spa","scope":"api"}"""),
            ("AllowedClients:0", "spa")
        );

        Assert.Equal("invalid_token", seen.Code);
    }

    [Theory]
    [InlineData("""{"aud":"bff","sub":"u-1","scope":"api","a.b":["written"],"a":{"b":["inside"]}}""", "written")]
    [InlineData("""{"aud":"bff","sub":"u-1","scope":"api","a":{"b":["inside"]}}""", "inside")]
    [InlineData("""{"aud":"bff","sub":"u-1","scope":"api","a":{"b":{"c":["deep"]}}}""", null)]
    [InlineData("""{"aud":"bff","sub":"u-1","scope":"api","a":["b"]}""", null)]
    [InlineData("""{"aud":"bff","sub":"u-1","scope":"api","a.b":null,"a":{"b":["inside"]}}""", null)]
    public async Task A_literal_claim_name_wins_over_a_path_into_objects(string claims, string? role)
    {
        await using var seen = await Seen("Generic", c => Replace(c, claims), ("Claims:Roles:0", "a.b"));

        if (claims.Contains("deep", StringComparison.Ordinal))
        {
            Assert.Equal("invalid_token", seen.Code); // The claim exists, but it is not a list of roles.
            return;
        }

        Assert.Equal(role is null ? [] : [role], seen.Caller.Roles);
    }

    [Fact]
    public async Task A_client_of_keycloak_may_have_dots_in_its_name()
    {
        await using var seen = await Seen(
            "Keycloak",
            c =>
                Replace(
                    c,
                    """{"aud":"api.shop.example","sub":"u-1","azp":"spa","scope":"api","resource_access":{"api.shop.example":{"roles":["buyer"]}}}"""
                ),
            ("ValidAudiences:0", "api.shop.example")
        );

        Assert.Equal(["buyer"], seen.Caller.Roles);
    }

    [Theory]
    [InlineData("openid api://shop/api", "api,openid")]
    [InlineData("read_orders", "orders.read")]
    [InlineData("https://shop/api:write", "write")]
    [InlineData("api://shop/", "api://shop/")]
    [InlineData("api://shop/read_orders", "orders.read")]
    public async Task Scopes_lose_their_prefix_and_are_renamed_by_their_aliases(string scope, string expected)
    {
        await using var seen = await Seen(
            "Generic",
            c => c["scope"] = scope,
            ("ScopePrefix", "api://shop/"),
            ("ScopeAliases:read_orders", "orders.read"),
            ("ScopeAliases:0:From", "https://shop/api:write"),
            ("ScopeAliases:0:To", "write")
        );

        Assert.Equal(expected, string.Join(',', seen.PublicCaller.Scopes.Order()));
    }

    [Fact]
    public async Task Roles_count_as_scopes_only_for_applications_and_only_when_configured()
    {
        await using var user = await Seen(
            "Generic",
            c =>
            {
                c["roles"] = new JsonArray("write");
            },
            ("RolesAsScopes", "true")
        );
        await using var application = await Seen(
            "Generic",
            c =>
            {
                c.Remove("sub");
                c["client_id"] = "app";
                c["roles"] = new JsonArray("write");
            },
            ("RolesAsScopes", "true")
        );
        await using var unconfigured = await Seen(
            "Generic",
            c =>
            {
                c.Remove("sub");
                c["client_id"] = "app";
                c["roles"] = new JsonArray("write");
            }
        );

        Assert.Equal(
            (false, true, false),
            (user.Caller.HasScope("write"), application.Caller.HasScope("write"), unconfigured.Caller.HasScope("write"))
        );
    }

    private static void Replace(JsonObject claims, string with)
    {
        foreach (var name in (string[])["aud", "sub", "scope"])
        {
            claims.Remove(name);
        }

        foreach (var (name, value) in JsonNode.Parse(with)!.AsObject())
        {
            claims[name] = value?.DeepClone();
        }
    }

    private static Task<SeenCaller> Seen(string type, Action<JsonObject> change, params (string Key, string Value)[] settings) =>
        SeenCaller.Of(type, change, settings);
}

/// <summary>A host of its own with one token: records the accepted caller and the headers for services.</summary>
internal sealed class SeenCaller : IAsyncDisposable
{
    private readonly TestIssuer _issuer;
    private readonly CallersHost _host;

    private SeenCaller(TestIssuer issuer, CallersHost host, string? code) => (_issuer, _host, Code) = (issuer, host, code);

    /// <summary>The error code of the refusal, or null when the token was accepted.</summary>
    public string? Code { get; }

    /// <summary>The caller that the guarded endpoint received.</summary>
    public Bff.Requests.Caller Caller => Code is null ? _host.Reached.Last() : throw new InvalidOperationException("Refused: " + Code);

    /// <summary>The caller that the public endpoint received, regardless of scopes.</summary>
    public Bff.Requests.Caller PublicCaller => _host.Reached.Last();

    public IReadOnlyDictionary<string, string> Upstream => _host.Upstream;

    public static async Task<SeenCaller> Of(string type, Action<JsonObject> change, params (string Key, string Value)[] settings)
    {
        var issuer = await TestIssuer.Start();
        var all = settings.ToDictionary(s => "Authentication:Schemes:Bearer:" + s.Key, s => (string?)s.Value);
        all["Authentication:Schemes:Bearer:Type"] = type;
        var host = await (await CallersHost.Start(issuer, all)).Ready();
        var token = issuer.Token(change);
        await host.Get(token, "/public");
        return new SeenCaller(issuer, host, (await host.Get(token)) is { Status: HttpStatusCode.OK } ? null : (await host.Get(token)).Code);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _issuer.DisposeAsync();
    }
}
