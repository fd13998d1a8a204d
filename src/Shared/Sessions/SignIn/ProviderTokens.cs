using System.Buffers.Text;
using System.IdentityModel.Tokens.Jwt;
using System.Text.Json;
using Bff.Callers.Bearer;
using Bff.Callers.Keys;
using Bff.Callers.Providers;
using Bff.Configuration;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Bff.Sessions.SignIn;

/// <summary>
/// Verifies the tokens that the provider signs for this client: id_tokens (OpenID Connect Core 1.0 section 3.1.3.7) and logout tokens
/// (Back-Channel Logout 1.0 section 2.6).
/// </summary>
internal sealed class ProviderTokens(ProviderMetadata metadata, Reloadable<SessionSettings> settings, TimeProvider time)
{
    private const string LogoutEvent = "http://schemas.openid.net/event/backchannel-logout";
    private const int MaxLength = 16 * 1024,
        MostBytes = 64 * 1024;
    private static readonly TimeSpan LogoutTokenLife = TimeSpan.FromMinutes(10);

    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private static TokenValidationResult Invalid =>
        new() { Exception = new SecurityTokenValidationException("The token cannot be verified.") };

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = MostBytes };

    /// <summary>How long a used logout token must be remembered.</summary>
    public static TimeSpan LogoutTokenMemory => LogoutTokenLife + (2 * TokenClaims.ClockSkew);

    /// <summary>
    /// The standard's checks of id_tokens beside their signature: nonce, <c>at_hash</c> and required claims (section 3.1.3.7).
    /// </summary>
    public static OpenIdConnectProtocolValidator Protocol { get; } =
        new()
        {
            RequireNonce = false, // Refers to the handler's own cookie. LoginStates keeps the nonce, and a kept nonce is compared.
            RequireTimeStampInNonce = false, // Not needed, because a sign-in expires within minutes.
            RequireStateValidation = false,
        };

    /// <summary>Validates signature, issuer, audience, times and kind of an id_token.</summary>
    public async Task<TokenValidationResult> ValidateIdToken(string? token, CancellationToken cancellation)
    {
        var result = await Verify(token, anyAudience: false, cancellation, "JWT");
        return
            !result.IsValid
            || (
                Claims(result) is var claims
                && Date(claims, "iat") <= time.GetUtcNow() + TokenClaims.ClockSkew
                && IsForThisClient(claims, settings.Current.ClientId)
            )
            ? result
            : Invalid;
    }

    /// <summary>
    /// Returns the claims of the id_token that came with a refresh (section 12.2), or null. The caller must check that its user is the
    /// session's.
    /// </summary>
    /// <param name="token">The id_token.</param>
    /// <param name="nonce">The nonce of the sign-in, which the token may repeat.</param>
    /// <param name="accessToken">The access token that came with it.</param>
    /// <param name="cancellation">Cancels the wait.</param>
    public async ValueTask<JsonElement?> ReadRefreshedIdToken(
        string token,
        string? nonce,
        string accessToken,
        CancellationToken cancellation
    )
    {
        var result = await ValidateIdToken(token, cancellation);
        if (!result.IsValid)
        {
            return null;
        }

        var claims = Claims(result);
        try
        {
            Protocol.ValidateTokenResponse(
                new()
                {
                    ClientId = settings.Current.ClientId,
                    ProtocolMessage = new() { IdToken = token, AccessToken = accessToken },
                    ValidatedIdToken = JwtSecurityTokenConverter.Convert((JsonWebToken)result.SecurityToken),
                    Nonce = claims.TryGetProperty("nonce", out _) ? nonce ?? Text(claims, "nonce") : null,
                }
            );
            return claims;
        }
        catch (OpenIdConnectProtocolException)
        {
            return null;
        }
    }

    /// <summary>Returns the claims of an access token that the provider has signed, for any audience. Null for anything else.</summary>
    public async ValueTask<JsonElement?> ReadAccessToken(string token, CancellationToken cancellation) =>
        JwtSyntax.LooksLikeJwt(token) ? await Read(token, anyAudience: true, cancellation, "at+jwt", "JWT") : null;

    /// <summary>Returns the claims of a valid logout token, or null. The caller must check for replay.</summary>
    public async ValueTask<JsonElement?> ReadLogoutToken(string? token, CancellationToken cancellation)
    {
        if (await Read(token, anyAudience: false, cancellation, "logout+jwt", "JWT") is not { } claims)
        {
            return null;
        }

        var now = time.GetUtcNow();
        var isLogout =
            claims.TryGetProperty("events", out var events)
            && events.ValueKind == JsonValueKind.Object
            && events.TryGetProperty(LogoutEvent, out var detail)
            && detail.ValueKind == JsonValueKind.Object;
        return
            isLogout
            && !claims.TryGetProperty("nonce", out _) // An id_token has a nonce and must not pass for a logout token.
            && Date(claims, "iat") is { } issued
            && issued <= now + TokenClaims.ClockSkew
            && issued > now - LogoutTokenLife
            && Text(claims, "jti") is { Length: > 0 and <= 256 }
            && (Text(claims, "sid") is { Length: > 0 } || Text(claims, "sub") is { Length: > 0 })
            ? claims
            : null;
    }

    /// <summary>Returns the claims of a verified token.</summary>
    /// <param name="payload">The encoded middle part of the token.</param>
    public static JsonElement Claims(string payload)
    {
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
        return claims.RootElement.Clone();
    }

    public static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // If there is another audience, it could use the token too, so the token counts only if this client asked for it (section 3.1.3.7,
    // steps 3 to 5).
    private static bool IsForThisClient(JsonElement claims, string clientId) =>
        claims.TryGetProperty("azp", out _)
            ? Text(claims, "azp") == clientId
            : claims.GetProperty("aud") is not { ValueKind: JsonValueKind.Array } audiences || audiences.GetArrayLength() == 1;

    // RFC 7515 section 4.1.11: the recipient must understand what `crit` names, and this host understands no extension.
    private static bool HasExtension(SecurityToken token) => Claims(((JsonWebToken)token).EncodedHeader).TryGetProperty("crit", out _);

    // RFC 7515 section 4.1.9.
    private static string Short(string type) =>
        type.StartsWith("application/", StringComparison.OrdinalIgnoreCase) ? type["application/".Length..] : type;

    private static DateTimeOffset? Date(JsonElement claims, string name) =>
        TokenClaims.TryReadDate(claims, name, out var date) ? date : null;

    private static JsonElement Claims(TokenValidationResult result) => Claims(((JsonWebToken)result.SecurityToken).EncodedPayload);

    private async ValueTask<JsonElement?> Read(string? token, bool anyAudience, CancellationToken cancellation, params string[] types) =>
        await Verify(token, anyAudience, cancellation, types) is { IsValid: true } result ? Claims(result) : null;

    private async Task<TokenValidationResult> Verify(string? token, bool anyAudience, CancellationToken cancellation, params string[] types)
    {
        if (token is not { Length: > 0 } || token.Length > Math.Max(MaxLength, settings.Current.OfProvider?.MaxTokenBytes ?? 0))
        {
            return Invalid;
        }

        var configuration = await metadata.Get(cancellation);
        var result = await Validate(token, configuration, anyAudience, types);

        // The provider may also have replaced a key under the same id.
        if (!result.IsValid && (IsOfUnknownKey(token, configuration) || result.Exception is SecurityTokenInvalidSignatureException))
        {
            var newer = await metadata.GetNewer(configuration, cancellation);
            result = newer == configuration ? result : await Validate(token, newer, anyAudience, types);
        }

        return result;
    }

    private static bool IsOfUnknownKey(string token, OpenIdConnectConfiguration configuration)
    {
        try
        {
            return new JsonWebToken(token).Kid is not { Length: > 0 } kid || configuration.SigningKeys.All(key => key.KeyId != kid);
        }
        catch (Exception malformed) when (malformed is ArgumentException or SecurityTokenException)
        {
            return false;
        }
    }

    private bool IsIssuer(string token, string? issuer, OpenIdConnectConfiguration configuration)
    {
        if (!IssuerRule.IsTemplate(configuration.Issuer))
        {
            return issuer == configuration.Issuer;
        }

        var current = settings.Current;
        return issuer is not null
            && current.OfProvider is { } provider
            && new IssuerRule([configuration.Issuer], provider.AllowedTenants).Admits(
                issuer,
                TokenClaims.TenantOf(Claims(new JsonWebToken(token).EncodedPayload), current.Claims)
            );
    }

    private Task<TokenValidationResult> Validate(
        string token,
        OpenIdConnectConfiguration configuration,
        bool anyAudience,
        string[] types
    ) =>
        _handler.ValidateTokenAsync(
            token,
            new TokenValidationParameters
            {
                IssuerValidator = (issuer, _, _) =>
                    IsIssuer(token, issuer, configuration) ? issuer : throw new SecurityTokenInvalidIssuerException("Another issuer."),
                ValidAudience = settings.Current.ClientId,
                ValidateAudience = !anyAudience,
                IgnoreTrailingSlashWhenValidatingAudience = false,
                IssuerSigningKeys = configuration.SigningKeys,
                ValidAlgorithms = Algorithms,
                RequireSignedTokens = true,
                RequireExpirationTime = true,
                LifetimeValidator = (notBefore, expires, _, _) =>
                {
                    var now = time.GetUtcNow().UtcDateTime;
                    return expires is { } end
                        && now < end + TokenClaims.ClockSkew
                        && (notBefore is not { } start || now >= start - TokenClaims.ClockSkew);
                },
                TypeValidator = (type, read, _) =>
                    !HasExtension(read) && (string.IsNullOrEmpty(type) || types.Contains(Short(type), StringComparer.OrdinalIgnoreCase))
                        ? type ?? "" // RFC 7519 section 5.1: the type is optional.
                        : throw new SecurityTokenInvalidTypeException("Another kind of token."),
                LogValidationExceptions = false,
            }
        );
}
