using System.Text.Json;
using Bff.Callers.Keys;
using Bff.Callers.Providers;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Bff.Callers.Bearer;

/// <summary>
/// Verifies a JWT (RFC 7519, RFC 8725) in this order: 1. strict syntax; 2. the provider, found by issuer; 3. the provider's keys that may
/// have signed, by id and algorithm; 4. the signature, issuer and audience; 5. the times; 6. the claims.
/// </summary>
internal sealed class JwtVerifier(TokenProviders providers, TimeProvider time)
{
    /// <summary>Limit for all providers. Each provider has its own, lower limit, which is checked below.</summary>
    private const int MaxBytes = 64 * 1024;

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxBytes };

    /// <summary>Whether there are keys, or an authority that publishes them.</summary>
    public bool IsConfigured => providers.HaveKeys;

    /// <summary>Returns the caller, or the refusal. Waits only for a key that is not known yet.</summary>
    public async ValueTask<(VerifiedToken? Verified, CallerResult Refusal)> Verify(string token, CancellationToken cancellation)
    {
        // 1
        using var jwt = JwtSyntax.Read(token);
        if (jwt is null)
        {
            return (null, Refusals.Malformed);
        }

        // 2
        if (await providers.Find(jwt.Claims, cancellation) is not { } provider)
        {
            return (null, providers.IsReady ? Refusals.Issuer : Refusals.Unavailable);
        }

        if (token.Length > provider.Settings.MaxTokenBytes)
        {
            return (null, Refusals.Malformed);
        }

        // 3
        var keys = provider.Keys;
        var current = keys.Current;
        var candidates = Candidates(jwt, current, provider);
        for (
            var waits = 0;
            waits < 2 && candidates.Count == 0 && IsPublishedAlgorithm(jwt.Algorithm) && await keys.WaitForNewer(current, cancellation);
            waits++
        )
        {
            current = keys.Current;
            candidates = Candidates(jwt, current, provider);
        }

        if (candidates.Count == 0)
        {
            return (null, keys.IsReady ? Refusals.Signature : Refusals.Unavailable);
        }

        // 4
        var (key, refusal) = await VerifySignature(token, jwt, provider, candidates);
        return key is null ? (null, refusal) : Judge(jwt, key, current, provider);
    }

    private static bool IsPublishedAlgorithm(string algorithm) =>
        algorithm is "RS256" or "RS384" or "RS512" or "PS256" or "PS384" or "PS512" or "ES256" or "ES384" or "ES512";

    private static List<VerificationKey> Candidates(JwtSyntax jwt, SigningKeySet keys, TokenProvider provider)
    {
        var candidates = keys.Candidates(jwt.KeyId, jwt.Algorithm);
        if (candidates.Exists(key => key.Issuer is not null))
        {
            var issuer = jwt.Claims.GetProperty("iss").GetString()!;
            var tenant = TokenClaims.TenantOf(jwt.Claims, provider.Settings.Claims);
            candidates.RemoveAll(key => key.Issuer is { } signsFor && !IssuerRule.MaySign(signsFor, issuer, tenant));
        }

        return candidates;
    }

    private async ValueTask<(VerificationKey?, CallerResult)> VerifySignature(
        string token,
        JwtSyntax jwt,
        TokenProvider provider,
        List<VerificationKey> candidates
    )
    {
        var settings = provider.Settings;
        foreach (var key in candidates)
        {
            var result = await _handler.ValidateTokenAsync(
                token,
                new TokenValidationParameters
                {
                    IssuerSigningKey = key.Key,
                    TryAllIssuerSigningKeys = true,
                    ValidAlgorithms = [jwt.Algorithm],
                    RequireSignedTokens = true,
                    ValidIssuer = jwt.Claims.GetProperty("iss").GetString(), // The provider was found by it.
                    ValidAudiences = settings.Audiences,
                    // A token without an audience is checked by its client instead.
                    ValidateAudience = settings.AllowedClients.Count == 0 || jwt.Claims.TryGetProperty("aud", out _),
                    IgnoreTrailingSlashWhenValidatingAudience = false,
                    ValidateLifetime = false, // Judge checks it with the host's clock and its own problem codes.
                    LogValidationExceptions = false,
                }
            );
            if (result.IsValid)
            {
                return (key, default);
            }

            if (result.Exception is SecurityTokenInvalidIssuerException or SecurityTokenInvalidAudienceException)
            {
                return (null, Refusals.Issuer);
            }

            if (result.Exception is ArgumentException)
            {
                return (null, Refusals.Claims); // The package cannot read a claim (SecurityTokenMalformedException), whatever the key.
            }
        }

        provider.Keys.Suspect();
        return (null, Refusals.Signature);
    }

    private (VerifiedToken?, CallerResult) Judge(JwtSyntax jwt, VerificationKey key, SigningKeySet current, TokenProvider provider)
    {
        // 5
        var now = time.GetUtcNow();
        if (
            !TokenClaims.TryReadDate(jwt.Claims, "exp", out var expires)
            || expires is not { } end
            || !TokenClaims.TryReadDate(jwt.Claims, "nbf", out var notBefore)
        )
        {
            return (null, Refusals.Claims);
        }

        if (end + TokenClaims.ClockSkew <= now)
        {
            return (null, Refusals.Expired);
        }

        if (notBefore - TokenClaims.ClockSkew > now)
        {
            return (null, Refusals.NotYet);
        }

        // 6
        if (
            !IsAccessToken(jwt.Claims, provider.Settings.Type)
            || TokenClaims.Read(jwt.Claims, provider.Settings.Claims, TokenUse.Access) is not { } caller
        )
        {
            return (null, Refusals.Claims);
        }

        return provider.Settings.Allows(caller.Client)
            ? (new VerifiedToken(caller, end + TokenClaims.ClockSkew, key, current, provider.Keys), default)
            : (null, Refusals.Client);
    }

    /// <summary>Whether this is an access token. Cognito signs id_tokens with the same keys, only for the client, and marks them.</summary>
    private static bool IsAccessToken(JsonElement claims, ProviderType type) =>
        type != ProviderType.Cognito
        || (claims.TryGetProperty("token_use", out var use) && use.ValueKind == JsonValueKind.String && use.ValueEquals("access"u8));
}
