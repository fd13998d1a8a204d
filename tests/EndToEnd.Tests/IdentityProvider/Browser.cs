using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Bff.Dev.IdentityProvider;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Bff.EndToEnd.Tests.IdentityProvider;

/// <summary>A browser that keeps cookies and follows no redirect, together with the client's side of the code flow.</summary>
internal sealed class Browser(DevelopmentIdentityProvider provider) : IDisposable
{
    // RFC 7636, appendix B.
    public const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    private const string Challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    public const string Callback = "http://127.0.0.1:54321/bff/callback";

    private readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false })
    {
        BaseAddress = new Uri(provider.Authority),
        Timeout = TimeSpan.FromSeconds(30),
    };

    public HttpClient Http => http;

    public static string AuthorizeQuery(params (string Name, string? Value)[] changes)
    {
        var asked = new Dictionary<string, string?>
        {
            ["client_id"] = "web-bff",
            ["redirect_uri"] = Callback,
            ["response_type"] = "code",
            ["scope"] = "openid profile email api offline_access",
            ["state"] = "the-state",
            ["nonce"] = "the-nonce",
            ["code_challenge"] = Challenge,
            ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes)
            asked[name] = value;
        return QueryHelpers.AddQueryString("", asked.Where(pair => pair.Value is not null));
    }

    public async Task<Dictionary<string, string>> Authorize(params (string Name, string? Value)[] changes)
    {
        using var answer = await http.GetAsync("/authorize" + AuthorizeQuery(changes));
        return Redirected(answer);
    }

    /// <summary>Presses a user's button and returns the parameters that came back to the client.</summary>
    public async Task<Dictionary<string, string>> SignIn(string user, params (string Name, string? Value)[] changes)
    {
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("user", user)]);
        using var answer = await http.PostAsync("/sign-in" + AuthorizeQuery(changes), form);
        return Redirected(answer);
    }

    public async Task<JsonObject> Tokens(string user = "alice") => await Exchange((await SignIn(user))["code"], Verifier);

    public Task<JsonObject> Exchange(string code, string verifier, string client = "web-bff") =>
        Post(
            "/token",
            client,
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", Callback),
            ("code_verifier", verifier)
        );

    public Task<JsonObject> Refresh(string refreshToken, string client = "web-bff") =>
        Post("/token", client, ("grant_type", "refresh_token"), ("refresh_token", refreshToken));

    public Task<JsonObject> Introspect(string token) => Post("/introspect", "internal-service", ("token", token));

    /// <summary>Posts as a confidential client with its shipped secret. The result also has the answer's <c>status</c>.</summary>
    public async Task<JsonObject> Post(string path, string client, params (string Name, string Value)[] form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Content = new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.ASCII.GetBytes($"{client}:{client}-development-secret"))
        );
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        var body = text.Length == 0 ? [] : (JsonObject)JsonNode.Parse(text)!;
        body["status"] = (int)answer.StatusCode;
        return body;
    }

    /// <summary>
    /// Checks a token as a client or gateway would: with the published keys and an implementation other than the provider's.
    /// </summary>
    public async Task<TokenValidationResult> Validate(string token, string audience, string type)
    {
        var keys = new JsonWebKeySet(await http.GetStringAsync("/.well-known/jwks.json"));
        return await new JsonWebTokenHandler().ValidateTokenAsync(
            token,
            new TokenValidationParameters
            {
                ValidIssuer = provider.Authority,
                ValidAudience = audience,
                ValidTypes = [type],
                IssuerSigningKeys = keys.GetSigningKeys(),
                ClockSkew = TimeSpan.Zero,
            }
        );
    }

    public void Dispose() => http.Dispose();

    private static Dictionary<string, string> Redirected(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var location = answer.Headers.Location!.OriginalString;
        Assert.StartsWith(Callback + "?", location, StringComparison.Ordinal);
        return QueryHelpers.ParseQuery(new Uri(location).Query).ToDictionary(pair => pair.Key, pair => pair.Value.Single()!);
    }
}
