using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

/// <summary>Creates access tokens (RFC 9068), id_tokens and logout tokens, and stores the opaque ones that it has issued.</summary>
internal sealed class TokenFactory(IdentityProviderOptions options, KeyRing keys)
{
    private const string LogoutEvent = "http://schemas.openid.net/event/backchannel-logout";
    private readonly CompactJwt jwt = new(keys, options.Time);
    private readonly ExpiringStore<string> opaque = new(options.Time);
    private readonly ExpiringStore<IssuedToken> issued = new(options.Time);

    /// <summary>The issuer; set once the provider listens.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>The flaw of the id_tokens that are issued from now on.</summary>
    public TokenFlaw IdTokenFlaw { get; set; }

    public Action<JsonObject>? ChangeIdToken { get; set; }

    public string ForUser(Grant grant, DevelopmentClient client, string[] scopes)
    {
        var claims = UserClaims(grant.User);
        claims["client_id"] = grant.ClientId;
        claims["scope"] = string.Join(' ', scopes);
        return Access(claims, client, grant);
    }

    /// <summary>Creates a token of the same user for another service (RFC 8693); null if the given token is not valid.</summary>
    public string? Exchanged(AuthenticatedClient client, string? subjectToken, string audience)
    {
        if (ReadAccess(subjectToken) is not { } known)
            return null;
        var claims = new JsonObject { ["client_id"] = client.Id };
        foreach (var name in (string[])["sub", "tid", "roles", "email", "name", "scope"])
        {
            if (known[name] is { } value)
                claims[name] = value.DeepClone();
        }

        return Access(claims, client.Settings, grant: null, audience);
    }

    public string ForClient(AuthenticatedClient client, string[] scopes, string? audience = null)
    {
        var claims = new JsonObject
        {
            ["sub"] = client.Id,
            ["client_id"] = client.Id,
            ["scope"] = string.Join(' ', scopes),
        };
        if (client.Settings.TenantId is { } tenant)
            claims["tid"] = tenant;
        return Access(claims, client.Settings, grant: null, audience);
    }

    public string Mint(TokenRequest request)
    {
        var claims = options.Users.Find(request.Sub) is { } user ? UserClaims(user) : new JsonObject { ["sub"] = request.Sub };
        claims["client_id"] = request.ClientId;
        if (request.Scope is not null)
            claims["scope"] = request.Scope;
        if (request.Tid is not null)
            claims["tid"] = request.Tid;
        if (request.Roles is not null)
            claims["roles"] = Strings(request.Roles);
        if (request.Email is not null)
            claims["email"] = request.Email;
        if (request.Name is not null)
            claims["name"] = request.Name;
        Stamp(claims, request.Aud, request.ExpiresIn);
        foreach (var (name, value) in request.Extra ?? [])
        {
            if (value is null)
                claims.Remove(name);
            else
                claims[name] = value.DeepClone();
        }

        var key = request.Kid is null
            ? keys.Current(request.Alg)
            : keys.Find(request.Kid) ?? throw new ArgumentException($"No key has the id {request.Kid}.", nameof(request));
        return request.Opaque ? KeepOpaque(claims, request.ExpiresIn) : jwt.Write("at+jwt", claims, key, request.Flaw);
    }

    public string IdToken(Grant grant, DevelopmentClient client, string? nonce, string accessToken)
    {
        var claims = UserClaims(grant.User);
        claims["preferred_username"] = grant.User.UserName;
        claims["sid"] = grant.Sid;
        claims["auth_time"] = grant.SignedInAt.ToUnixTimeSeconds();
        claims["at_hash"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, 16));
        if (nonce is not null)
            claims["nonce"] = nonce;
        Stamp(claims, grant.ClientId, client.IdTokenLifetime);
        ChangeIdToken?.Invoke(claims);
        return jwt.Write("JWT", claims, keys.Current(client.SigningAlgorithm), IdTokenFlaw);
    }

    /// <summary>Creates a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4).</summary>
    public string LogoutToken(string clientId, string? sub, string? sid, TokenFlaw flaw, Action<JsonObject>? change)
    {
        var claims = new JsonObject { ["events"] = new JsonObject { [LogoutEvent] = new JsonObject() } };
        if (sub is not null)
            claims["sub"] = sub;
        if (sid is not null)
            claims["sid"] = sid;
        Stamp(claims, clientId, TimeSpan.FromMinutes(2));
        change?.Invoke(claims);
        var algorithm = options.Clients.GetValueOrDefault(clientId)?.SigningAlgorithm ?? SigningKey.Rs256;
        return jwt.Write("logout+jwt", claims, keys.Current(algorithm), flaw);
    }

    /// <summary>Returns the claims of an access token that is currently valid; otherwise null.</summary>
    public JsonObject? ReadAccess(string? token)
    {
        if (token is null)
            return null;
        var claims = opaque.Find(token) is { } kept ? (JsonObject)JsonNode.Parse(kept)! : jwt.Read(token);
        return claims is not null && issued.Find(claims["jti"]?.ToString()) is not { Revoked: true } ? claims : null;
    }

    public JsonObject? ReadIdToken(string token) => jwt.Read(token);

    public void RevokeAccess(JsonObject claims)
    {
        if (claims["jti"]?.ToString() is not { } jti)
            return;
        var token = issued.Find(jti) ?? new IssuedToken(grant: null);
        token.Revoke();
        issued.Keep(jti, token, DateTimeOffset.FromUnixTimeSeconds(claims["exp"]!.GetValue<long>()));
    }

    private string Access(JsonObject claims, DevelopmentClient client, Grant? grant, string? audience = null)
    {
        Stamp(claims, audience ?? client.Audience, client.AccessTokenLifetime);
        issued.Keep(claims["jti"]!.GetValue<string>(), new IssuedToken(grant), options.Time.GetUtcNow() + client.AccessTokenLifetime);
        return client.AccessTokenType == AccessTokenType.Opaque
            ? KeepOpaque(claims, client.AccessTokenLifetime)
            : jwt.Write("at+jwt", claims, keys.Current(client.SigningAlgorithm));
    }

    private string KeepOpaque(JsonObject claims, TimeSpan lifetime)
    {
        var handle = Handle.Create("at_");
        opaque.Keep(handle, claims.ToJsonString(), options.Time.GetUtcNow() + lifetime);
        return handle;
    }

    private void Stamp(JsonObject claims, string audience, TimeSpan lifetime)
    {
        var now = options.Time.GetUtcNow();
        claims["iss"] = Issuer;
        claims["aud"] = audience;
        claims["jti"] = RandomNumberGenerator.GetHexString(32, lowercase: true);
        claims["iat"] = now.ToUnixTimeSeconds();
        claims["exp"] = (now + lifetime).ToUnixTimeSeconds();
    }

    public static JsonObject UserClaims(DevelopmentUser user) =>
        new()
        {
            ["sub"] = user.Subject,
            ["tid"] = user.TenantId,
            ["roles"] = Strings(user.Roles),
            ["email"] = user.Email,
            ["name"] = user.Name,
        };

    private static JsonArray Strings(string[] values) => new([.. values.Select(value => JsonValue.Create(value))]);
}
