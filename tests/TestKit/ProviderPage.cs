using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Bff.TestKit;

/// <summary>
/// A page of docs/providers together with a stand-in that behaves as that provider's documentation describes. Uses the page's own settings,
/// with the stand-in's address in place of the provider's.
/// </summary>
public sealed partial class ProviderPage : IAsyncDisposable
{
    public const string Tenant = "9f1c1d7e-0000-4000-8000-000000000001",
        Client = "web-client";

    /// <summary>Names of the pages.</summary>
    public static readonly string[] Names = ["entra", "keycloak", "auth0", "okta", "cognito"];

    private ProviderPage(string name, SparseProvider provider, Dictionary<string, string?> settings) =>
        (Name, Provider, Settings) = (name, provider, settings);

    public string Name { get; }

    public SparseProvider Provider { get; }

    /// <summary>The page's settings, with the stand-in's address.</summary>
    public Dictionary<string, string?> Settings { get; }

    /// <summary>The provider's answer to a refresh that it refuses.</summary>
    public (int Status, string Body) Refusal =>
        Name switch
        {
            "entra" => (
                400,
                """{"error":"interaction_required","error_description":"AADSTS50076","error_codes":[50076],"suberror":"basic_action"}"""
            ),
            "keycloak" => (400, """{"error":"invalid_grant","error_description":"Session not active"}"""),
            "auth0" => (403, """{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}"""),
            "okta" => (400, """{"error":"invalid_grant","error_description":"The refresh token is invalid or expired."}"""),
            _ => (400, """{"error":"invalid_grant"}"""),
        };

    /// <summary>Whether the provider notifies of sessions that it ends.</summary>
    public bool HasBackchannelLogout => Name is "keycloak" or "auth0";

    /// <summary>Starts the stand-in and reads the page.</summary>
    public static async Task<ProviderPage> Start(string name)
    {
        var provider = await SparseProvider.Start();
        var text = await File.ReadAllTextAsync(Path.Combine(Checkout.At("docs"), "providers", name + ".md"));
        var json = Block()
            .Match(text)
            .Groups["json"]
            .Value.Replace("<tenant-id>", Tenant, StringComparison.Ordinal)
            .Replace("<orders-client-id>", "orders", StringComparison.Ordinal)
            .Replace("<client-id>", Client, StringComparison.Ordinal)
            .Replace("<pool-id>", "eu-west-1_abc", StringComparison.Ordinal)
            .Replace("<server-id>", "aus1", StringComparison.Ordinal);
        var settings = new ConfigurationBuilder()
            .AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)))
            .Build()
            .AsEnumerable()
            .Where(s => s.Value is not null)
            .ToDictionary(s => s.Key, s => s.Key.EndsWith(":Authority", StringComparison.Ordinal) ? At(provider, s.Value!) : s.Value);
        settings[$"Authentication:Providers:{name}:RequireHttpsMetadata"] = settings["Clients:default:RequireHttpsMetadata"] = "false";
        settings["Session:ClientSecret"] = settings["Clients:default:ClientSecret"] = "the client's secret";
        settings["Session:Authority"] = "";
        provider.IssuerName = settings[$"Authentication:Providers:{name}:Authority"] + (name == "auth0" ? "/" : "");
        provider.Change = (_, claims) => Add(claims, IdToken(name));
        provider.AccessToken = claims => Add(claims, UserToken(name));
        provider.ChangeAnswer = answer => Add(answer, Answer(name));
        provider.ChangeDiscovery = document => document["end_session_endpoint"] = provider.Address + "/logout";
        provider.ForService = form => ServiceToken(name, form);
        return new(name, provider, settings);
    }

    /// <summary>Returns a token of a partner's application for the gateway.</summary>
    public string ApplicationToken() =>
        Provider.Access(
            Parse(
                Name switch
                {
                    "entra" =>
                        $$"""{"aud":"{{Client}}","sub":"sp-1","oid":"sp-1","azp":"partner","tid":"{{Tenant}}","roles":["orders.read"]}""",
                    "keycloak" => """{"aud":"bff","azp":"partner","tid":"partner-tenant","scope":"orders.read profile"}""",
                    "auth0" =>
                        """{"aud":"https://api.shop.example","sub":"partner@clients","azp":"partner","gty":"client-credentials","scope":"orders.read","permissions":["orders.read"],"tid":"partner-tenant"}""",
                    "okta" => """{"aud":"api://shop","sub":"partner","cid":"partner","scp":["orders.read"],"tid":"partner-tenant"}""",
                    _ => """{"sub":"partner","client_id":"partner","token_use":"access","scope":"shop/orders.read"}""",
                }
            )
        );

    public async ValueTask DisposeAsync() => await Provider.DisposeAsync();

    private static JsonObject IdToken(string name) =>
        Parse(
            name switch
            {
                "entra" =>
                    $$"""{"sub":"pairwise","oid":"u-1001","tid":"{{Tenant}}","name":"Ada","email":"ada@example.com","roles":["premium"]}""",
                "keycloak" =>
                    """{"sub":"u-1001","azp":"bff","name":"Ada","email":"ada@example.com","sid":"s-1","realm_access":{"roles":["premium"]}}""",
                "auth0" =>
                    """{"sub":"u-1001","name":"Ada","email":"ada@example.com","sid":"s-1","https://shop.example/roles":["premium"]}""",
                "okta" => """{"sub":"u-1001","name":"Ada","email":"ada@example.com","groups":["premium"]}""",
                _ => """{"sub":"u-1001","name":"Ada","email":"ada@example.com","token_use":"id","cognito:groups":["premium"]}""",
            }
        );

    private static JsonObject UserToken(string name) =>
        Parse(
            name switch
            {
                "entra" =>
                    $$"""{"aud":"{{Client}}","sub":"pairwise","oid":"u-1001","tid":"{{Tenant}}","azp":"{{Client}}","scp":"api","roles":["premium"],"ver":"2.0"}""",
                "keycloak" =>
                    """{"aud":["bff","account"],"sub":"u-1001","azp":"bff","scope":"openid profile email api","realm_access":{"roles":["premium"]},"resource_access":{"account":{"roles":["view-profile"]}}}""",
                "auth0" =>
                    $$"""{"aud":["https://api.shop.example","https://shop.eu.auth0.com/userinfo"],"sub":"u-1001","azp":"{{Client}}","scope":"openid profile email","permissions":["api"],"https://shop.example/roles":["premium"]}""",
                "okta" =>
                    $$"""{"aud":"api://shop","sub":"u-1001","uid":"00u1","cid":"{{Client}}","scp":["openid","api"],"groups":["premium"]}""",
                _ =>
                    $$"""{"sub":"u-1001","token_use":"access","client_id":"{{Client}}","username":"ada","scope":"openid shop/api","cognito:groups":["premium"]}""",
            }
        );

    private static JsonObject Answer(string name) =>
        Parse(
            name switch
            {
                "entra" => $$"""{"refresh_token":"r","expires_in":300,"scope":"email openid profile api://{{Client}}/api"}""",
                "cognito" => """{"refresh_token":"r","expires_in":300}""",
                _ => """{"refresh_token":"r","expires_in":300,"scope":"openid profile email api"}""",
            }
        );

    /// <summary>Returns a token for the service in the form.</summary>
    private static JsonObject ServiceToken(string name, IReadOnlyDictionary<string, string> form) =>
        new()
        {
            ["aud"] = name == "entra" ? form["scope"].Split('/')[2] : form.GetValueOrDefault("audience") ?? form["scope"].Split('/')[0],
            ["grant"] = form["grant_type"].Split(':')[^1],
            ["sub"] = "whoever",
        };

    private static string At(SparseProvider provider, string authority) => provider.Address + new Uri(authority).AbsolutePath.TrimEnd('/');

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private static void Add(JsonObject to, JsonObject claims)
    {
        foreach (var (name, value) in claims)
        {
            to[name] = value?.DeepClone();
        }
    }

    [GeneratedRegex("```json\n(?<json>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
