using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace Bff.TestKit;

/// <summary>
/// An OpenID provider that sends only what the standards require (OpenID Connect Core 1.0, Discovery 1.0, RFC 6749): no <c>typ</c>,
/// <c>kid</c>, name, e-mail, <c>at_hash</c> or lifetime of the access token. Tests add to it.
/// </summary>
public sealed class SparseProvider : IAsyncDisposable
{
    private readonly WebApplication _app;
    private SigningTestKey _key;
    private readonly ConcurrentDictionary<string, string> _nonces = new();
    private readonly ConcurrentDictionary<string, string> _pushed = new();
    private string _client = "";

    private SparseProvider(WebApplication app, SigningTestKey key) => (_app, _key) = (app, key);

    public string Address => _app.Urls.First();

    /// <summary>Changes the header and the claims of every id_token.</summary>
    public Action<JsonObject, JsonObject> Change { get; set; } = (_, _) => { };

    /// <summary>Adds to the token endpoint's answers.</summary>
    public Action<JsonObject> ChangeAnswer { get; set; } = _ => { };

    /// <summary>Makes the access token a JWT with these claims besides <c>iss</c> and the times; null for an opaque token.</summary>
    public Action<JsonObject>? AccessToken { get; set; }

    public int Refreshes { get; private set; }

    /// <summary>Issuer in discovery and id_tokens; null for the address.</summary>
    public string? IssuerName { get; set; }

    /// <summary>Id of the key in the published key set; null for none. <see cref="Change"/> names it in id_tokens.</summary>
    public string? KeyId { get; set; }

    /// <summary>Entry of the key set before the key; null for none.</summary>
    public JsonNode? OtherKey { get; set; }

    /// <summary>Changes the discovery document.</summary>
    public Action<JsonObject> ChangeDiscovery { get; set; } = _ => { };

    /// <summary>Adds a user info resource with this content for holders of the access token.</summary>
    public JsonObject? UserInfo { get; set; }

    /// <summary>Text that the user info resource writes in place of <see cref="UserInfo"/>.</summary>
    public string? UserInfoText { get; set; }

    /// <summary>Whether pushed authorization requests (RFC 9126) are offered.</summary>
    public bool TakesPushes { get; set; }

    /// <summary>Text that answers every POST with 200.</summary>
    public string? PostedText { get; set; }

    /// <summary>Status and body that answer a refresh in place of tokens.</summary>
    public (int Status, string Body)? RefreshAnswer { get; set; }

    /// <summary>Whether a refresh also returns an id_token.</summary>
    public bool RefreshesIdToken { get; set; }

    /// <summary>
    /// Claims of tokens for client credentials and of exchanged tokens, besides <c>iss</c> and the times, by the form.
    /// </summary>
    public Func<IReadOnlyDictionary<string, string>, JsonObject>? ForService { get; set; }

    /// <summary>
    /// Requests to the token and pushed authorization endpoints: the form, with <c>authorization</c> and <c>path</c> added.
    /// </summary>
    public ConcurrentQueue<IReadOnlyDictionary<string, string>> Asked { get; } = new();

    public static async Task<SparseProvider> Start(string algorithm = "RS256")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var isEllipticCurve = algorithm.StartsWith("ES", StringComparison.Ordinal);
        var provider = new SparseProvider(
            app,
            isEllipticCurve ? SigningTestKey.Ec("unnamed", algorithm) : SigningTestKey.Rsa("unnamed", algorithm)
        );
        app.MapGet("/.well-known/openid-configuration", context => context.Response.WriteAsync(provider.Discovery().ToJsonString()));
        app.MapGet("/keys", context => context.Response.WriteAsync(provider.Keys().ToJsonString()));
        app.MapPost("/token", context => provider.Posted(context, provider.Token));
        app.MapPost("/par", context => provider.Posted(context, provider.Push));
        app.MapPost("/revoke", context => provider.Posted(context, provider.Note));
        app.MapGet("/userinfo", provider.SayUser);
        app.MapGet(
            "/{**path}",
            context =>
                context.Request.Path.Value!.EndsWith("/.well-known/openid-configuration", StringComparison.Ordinal)
                    ? context.Response.WriteAsync(provider.Discovery().ToJsonString())
                    : Task.Run(() => context.Response.StatusCode = 404)
        );
        await app.StartAsync();
        return provider;
    }

    /// <summary>Signs in the user who comes with this address; returns the address to which the browser is sent back.</summary>
    public Uri SignIn(Uri authorization)
    {
        var query = QueryHelpers.ParseQuery(authorization.Query);
        if (query.TryGetValue("request_uri", out var pushed))
        {
            query = QueryHelpers.ParseQuery(_pushed[pushed.ToString()]);
        }

        var code = Guid.NewGuid().ToString("N");
        _nonces[code] = query["nonce"].ToString();
        return new Uri(
            QueryHelpers.AddQueryString(
                query["redirect_uri"].ToString(),
                new Dictionary<string, string?> { ["code"] = code, ["state"] = query["state"] }
            )
        );
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    /// <summary>Returns a token signed by the provider, such as one for back-channel logout.</summary>
    public string Sign(JsonObject header, JsonObject claims)
    {
        header["alg"] = _key.Algorithm;
        return _key.SignRaw(header.ToJsonString(), claims.ToJsonString());
    }

    /// <summary>Signs with a new RSA key, which is published with the id of the previous one.</summary>
    public void ReplaceKey() => _key = SigningTestKey.Rsa("unnamed", _key.Algorithm);

    private JsonObject Discovery()
    {
        var document = Sparse();
        if (UserInfo is not null)
        {
            document["userinfo_endpoint"] = Address + "/userinfo";
        }

        if (TakesPushes)
        {
            document["pushed_authorization_request_endpoint"] = Address + "/par";
        }

        ChangeDiscovery(document);
        return document;
    }

    private async Task Posted(HttpContext context, Func<HttpContext, Task> answer)
    {
        if (PostedText is null)
        {
            await answer(context);
            return;
        }

        await Note(context);
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(PostedText);
    }

    private async Task<IFormCollection> Note(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var asked = form.ToDictionary(f => f.Key, f => f.Value.ToString());
        (asked["authorization"], asked["path"]) = (context.Request.Headers.Authorization.ToString(), context.Request.Path.ToString());
        Asked.Enqueue(asked);
        return form;
    }

    private async Task Push(HttpContext context)
    {
        var form = await Note(context);
        var name = "urn:ietf:params:oauth:request_uri:" + Guid.NewGuid().ToString("N");
        _pushed[name] = QueryHelpers.AddQueryString("", form.Select(f => KeyValuePair.Create(f.Key, (string?)f.Value.ToString())));
        context.Response.StatusCode = 201;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(new JsonObject { ["request_uri"] = name, ["expires_in"] = 60 }.ToJsonString());
    }

    private async Task SayUser(HttpContext context)
    {
        if (
            (UserInfo is null && UserInfoText is null)
            || !context.Request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.Ordinal)
        )
        {
            context.Response.StatusCode = 401;
            return;
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(UserInfoText ?? UserInfo!.ToJsonString());
    }

    private JsonObject Sparse() =>
        new()
        {
            ["issuer"] = IssuerName ?? Address,
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
        if (KeyId is not null)
        {
            key["kid"] = KeyId;
        }

        return new() { ["keys"] = OtherKey is null ? new JsonArray(key) : new JsonArray(OtherKey.DeepClone(), key) };
    }

    private async Task Token(HttpContext context)
    {
        var form = await Note(context);
        context.Response.ContentType = "application/json";
        if (form["grant_type"] == "refresh_token")
        {
            Refreshes++;
            if (RefreshAnswer is { } refused)
            {
                context.Response.StatusCode = refused.Status;
                await context.Response.WriteAsync(refused.Body);
                return;
            }

            await context.Response.WriteAsync(Answer(RefreshesIdToken ? IdToken(_client, null) : null).ToJsonString());
            return;
        }

        if (form["grant_type"] != "authorization_code")
        {
            var granted = new JsonObject
            {
                ["access_token"] = Access(ForService!(Asked.Last())),
                ["token_type"] = "Bearer",
                ["expires_in"] = 3600,
            };
            await context.Response.WriteAsync(granted.ToJsonString());
            return;
        }

        if (!_nonces.TryRemove(form["code"].ToString(), out var nonce))
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("""{"error":"invalid_grant"}""");
            return;
        }

        _client = form["client_id"].ToString();
        if (context.Request.Headers.Authorization.ToString() is { Length: > 0 } authorization)
        {
            _client = Uri.UnescapeDataString(
                System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(authorization["Basic ".Length..])).Split(':')[0]
            );
        }

        await context.Response.WriteAsync(Answer(IdToken(_client, nonce)).ToJsonString());
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

        var claims = new JsonObject();
        AccessToken(claims);
        return Access(claims);
    }

    /// <summary>Returns an access token with these claims; adds issuer and times if they are missing.</summary>
    public string Access(JsonObject claims)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        claims.TryAdd("iss", IssuerName ?? Address);
        claims.TryAdd("iat", now);
        claims.TryAdd("exp", now + 3600);
        return _key.SignRaw(new JsonObject { ["alg"] = _key.Algorithm, ["typ"] = "at+jwt" }.ToJsonString(), claims.ToJsonString());
    }

    private string IdToken(string client, string? nonce)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var header = new JsonObject { ["alg"] = _key.Algorithm };
        var claims = new JsonObject
        {
            ["iss"] = IssuerName ?? Address,
            ["sub"] = "sparse",
            ["aud"] = client,
            ["exp"] = now + 600,
            ["iat"] = now,
        };
        if (nonce is not null)
        {
            claims["nonce"] = nonce;
        }

        Change(header, claims);
        return _key.SignRaw(header.ToJsonString(), claims.ToJsonString());
    }
}
