using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bff.Callers;
using Bff.Configuration;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Bff.Sessions.SignIn;

/// <summary>Verifies what the provider signs for this client: id_tokens (OpenID Connect Core 1.0 section 3.1.3.7) and logout tokens (Back-Channel Logout 1.0 section 2.6).</summary>
internal sealed class ProviderTokens(ProviderMetadata metadata, Reloadable<SessionSettings> settings, TimeProvider time)
{
    private const string LogoutEvent = "http://schemas.openid.net/event/backchannel-logout";
    private const int MaxLength = 16 * 1024;
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LogoutTokenLife = TimeSpan.FromMinutes(10);

    private static readonly string[] Algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxLength };

    /// <summary>How long a used logout token must be remembered.</summary>
    public static TimeSpan LogoutTokenMemory => LogoutTokenLife + (2 * Skew);

    /// <summary>The claims, or null.</summary>
    public async ValueTask<JsonElement?> ReadIdToken(string? token, string nonce, string accessToken, CancellationToken cancellation)
    {
        if (await Read(token, cancellation, "JWT") is not { } claims)
        {
            return null;
        }

        var clientId = settings.Current.ClientId;
        return Text(claims, "nonce") is { } echoed && Same(echoed, nonce)
            && Date(claims, "iat") is { } issued && issued <= time.GetUtcNow() + Skew
            && (!claims.TryGetProperty("azp", out _) || Text(claims, "azp") == clientId)
            && (!claims.TryGetProperty("at_hash", out _) || Text(claims, "at_hash") == Hash(token!, accessToken))
                ? claims
                : null;
    }

    /// <summary>The claims of a good logout token, or null. Replay is the caller's to check.</summary>
    public async ValueTask<JsonElement?> ReadLogoutToken(string? token, CancellationToken cancellation)
    {
        if (await Read(token, cancellation, "logout+jwt", "JWT") is not { } claims)
        {
            return null;
        }

        var now = time.GetUtcNow();
        var isLogout = claims.TryGetProperty("events", out var events) && events.ValueKind == JsonValueKind.Object
            && events.TryGetProperty(LogoutEvent, out var detail) && detail.ValueKind == JsonValueKind.Object;
        return isLogout
            && !claims.TryGetProperty("nonce", out _) // An id_token has one: it must not pass for a logout token.
            && Date(claims, "iat") is { } issued && issued <= now + Skew && issued > now - LogoutTokenLife
            && Text(claims, "jti") is { Length: > 0 and <= 256 }
            && (Text(claims, "sid") is { Length: > 0 } || Text(claims, "sub") is { Length: > 0 })
                ? claims
                : null;
    }

    public static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static DateTimeOffset? Date(JsonElement claims, string name) => TokenClaims.TryReadDate(claims, name, out var date) ? date : null;

    private static bool Same(string one, string other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), Encoding.UTF8.GetBytes(other));

    // The left half of the hash that belongs to the signature's algorithm (section 3.1.3.6).
    private static string Hash(string idToken, string accessToken)
    {
        var bytes = Encoding.ASCII.GetBytes(accessToken);
        var algorithm = new JsonWebToken(idToken).Alg;
        var hash = algorithm.EndsWith("384", StringComparison.Ordinal) ? SHA384.HashData(bytes)
            : algorithm.EndsWith("512", StringComparison.Ordinal) ? SHA512.HashData(bytes)
            : SHA256.HashData(bytes);
        return Base64Url.EncodeToString(hash.AsSpan(0, hash.Length / 2));
    }

    private async ValueTask<JsonElement?> Read(string? token, CancellationToken cancellation, params string[] types)
    {
        if (token is not { Length: > 0 and <= MaxLength })
        {
            return null;
        }

        var configuration = await metadata.Get(cancellation);
        var result = await Validate(token, configuration, types);
        if (!result.IsValid && IsOfUnknownKey(token, configuration))
        {
            var newer = await metadata.GetNewer(configuration, cancellation);
            result = newer == configuration ? result : await Validate(token, newer, types);
        }

        if (!result.IsValid)
        {
            return null;
        }

        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(((JsonWebToken)result.SecurityToken).EncodedPayload));
        return claims.RootElement.Clone();
    }

    private static bool IsOfUnknownKey(string token, OpenIdConnectConfiguration configuration)
    {
        try
        {
            return new JsonWebToken(token).Kid is { Length: > 0 } kid && configuration.SigningKeys.All(key => key.KeyId != kid);
        }
        catch (Exception malformed) when (malformed is ArgumentException or SecurityTokenException)
        {
            return false;
        }
    }

    private Task<TokenValidationResult> Validate(string token, OpenIdConnectConfiguration configuration, string[] types) =>
        _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = configuration.Issuer,
            ValidAudience = settings.Current.ClientId,
            IgnoreTrailingSlashWhenValidatingAudience = false,
            IssuerSigningKeys = configuration.SigningKeys,
            ValidAlgorithms = Algorithms,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            LifetimeValidator = (notBefore, expires, _, _) =>
            {
                var now = time.GetUtcNow().UtcDateTime;
                return expires is { } end && now < end + Skew && (notBefore is not { } start || now >= start - Skew);
            },
            TypeValidator = (type, _, _) => type is null || types.Contains(type, StringComparer.OrdinalIgnoreCase)
                ? type ?? ""
                : throw new SecurityTokenInvalidTypeException("Another kind of token."),
            LogValidationExceptions = false,
        });
}
