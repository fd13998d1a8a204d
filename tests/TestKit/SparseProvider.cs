using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace Bff.TestKit;

/// <summary>
/// An OpenID provider that says no more than the standards make it say (OpenID Connect Core 1.0, Discovery 1.0, RFC 6749): no <c>typ</c>, no
/// <c>kid</c>, no name, no e-mail, no <c>at_hash</c>, no life of the access token. Tests add to it.
/// </summary>
public sealed class SparseProvider : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly SigningTestKey _key;
    private readonly ConcurrentDictionary<string, string> _nonces = new();

    private SparseProvider(WebApplication app, SigningTestKey key) => (_app, _key) = (app, key);

    public string Address => _app.Urls.First();

    /// <summary>Changes the header and the claims of every id_token.</summary>
    public Action<JsonObject, JsonObject> Change { get; set; } = (_, _) => { };

    /// <summary>Adds to the token endpoint's answers.</summary>
    public Action<JsonObject> ChangeAnswer { get; set; } = _ => { };

    /// <summary>Makes the access token a JWT with these claims beside <c>iss</c> and the times; null: it is opaque.</summary>
    public Action<JsonObject>? AccessToken { get; set; }

    public int Refreshes { get; private set; }

    public static async Task<SparseProvider> Start(string algorithm = "RS256")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var isEllipticCurve = algorithm.StartsWith("ES", StringComparison.Ordinal);
        var provider = new SparseProvider(app, isEllipticCurve ? SigningTestKey.Ec("unnamed", algorithm) : SigningTestKey.Rsa("unnamed", algorithm));
        app.MapGet("/.well-known/openid-configuration", context => context.Response.WriteAsync(provider.Discovery().ToJsonString()));
        app.MapGet("/keys", context => context.Response.WriteAsync(provider.Keys().ToJsonString()));
        app.MapPost("/token", provider.Token);
        await app.StartAsync();
        return provider;
    }

    /// <summary>Signs somebody in who comes with this address; where the browser is sent back to.</summary>
    public Uri SignIn(Uri authorization)
    {
        var query = QueryHelpers.ParseQuery(authorization.Query);
        var code = Guid.NewGuid().ToString("N");
        _nonces[code] = query["nonce"].ToString();
        return new Uri(QueryHelpers.AddQueryString(query["redirect_uri"].ToString(), new Dictionary<string, string?> { ["code"] = code, ["state"] = query["state"] }));
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private JsonObject Discovery() => new()
    {
        ["issuer"] = Address,
        ["authorization_endpoint"] = Address + "/authorize",
        ["token_endpoint"] = Address + "/token",
        ["jwks_uri"] = Address + "/keys",
        ["response_types_supported"] = new JsonArray("code"),
        ["subject_types_supported"] = new JsonArray("public"),
        ["id_token_signing_alg_values_supported"] = new JsonArray("RS256"),
    };

    private JsonObject Keys()
    {
        var key = _key.PublicJwk();
        key.Remove("kid");
        key.Remove("use");
        return new() { ["keys"] = new JsonArray(key) };
    }

    private async Task Token(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        context.Response.ContentType = "application/json";
        if (form["grant_type"] == "refresh_token")
        {
            Refreshes++;
            await context.Response.WriteAsync(Answer(null).ToJsonString());
            return;
        }

        if (!_nonces.TryRemove(form["code"].ToString(), out var nonce))
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("""{"error":"invalid_grant"}""");
            return;
        }

        var credentials = context.Request.Headers.Authorization.ToString()["Basic ".Length..];
        var client = Uri.UnescapeDataString(System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(credentials)).Split(':')[0]);
        await context.Response.WriteAsync(Answer(IdToken(client, nonce)).ToJsonString());
    }

    private JsonObject Answer(string? idToken)
    {
        var answer = new JsonObject { ["access_token"] = NewAccessToken(), ["token_type"] = "bearer" };
        if (idToken is not null)
        {
            answer["id_token"] = idToken;
        }

        ChangeAnswer(answer);
        return answer;
    }

    private string NewAccessToken()
    {
        if (AccessToken is null)
        {
            return "opaque";
        }

        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new JsonObject { ["iss"] = Address, ["iat"] = now, ["exp"] = now + 3600 };
        AccessToken(claims);
        return _key.SignRaw(new JsonObject { ["alg"] = _key.Algorithm, ["typ"] = "at+jwt" }.ToJsonString(), claims.ToJsonString());
    }

    private string IdToken(string client, string nonce)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var header = new JsonObject { ["alg"] = _key.Algorithm };
        var claims = new JsonObject { ["iss"] = Address, ["sub"] = "sparse", ["aud"] = client, ["exp"] = now + 600, ["iat"] = now, ["nonce"] = nonce };
        Change(header, claims);
        return _key.SignRaw(header.ToJsonString(), claims.ToJsonString());
    }
}
