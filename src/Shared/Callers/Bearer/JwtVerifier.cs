using Bff.Configuration;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Bff.Callers;

/// <summary>
/// Verifies a JWT (RFC 7519, RFC 8725) in this order: 1. strict syntax; 2. the keys that may have signed it, by id and algorithm; 3. the signature,
/// issuer and audience; 4. the times; 5. the claims.
/// </summary>
internal sealed class JwtVerifier(Reloadable<BearerSettings> settings, SigningKeys keys, TimeProvider time)
{
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);
    private readonly BearerSettings _settings = settings.Current;
    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = BearerTokens.MaxTokenLength };

    /// <summary>Whether there are keys, or an authority to have them from.</summary>
    public bool IsConfigured => _settings.MetadataAddress is not null || _settings.Secrets.Count > 0;

    /// <summary>The caller, or why not. Waits only for a key that is not known yet.</summary>
    public async ValueTask<(VerifiedToken? Verified, CallerResult Refusal)> Verify(string token, CancellationToken cancellation)
    {
        using var jwt = JwtSyntax.Read(token);
        if (jwt is null)
        {
            return (null, Refusals.Malformed);
        }

        var current = keys.Current;
        var candidates = current.Candidates(jwt.KeyId, jwt.Algorithm);
        for (var waits = 0; waits < 2 && candidates.Count == 0 && IsPublishedAlgorithm(jwt.Algorithm) && await keys.WaitForNewer(current, cancellation); waits++)
        {
            current = keys.Current;
            candidates = current.Candidates(jwt.KeyId, jwt.Algorithm);
        }

        if (candidates.Count == 0)
        {
            return (null, keys.IsReady ? Refusals.Signature : Refusals.Unavailable);
        }

        var (key, refusal) = await VerifySignature(token, jwt, current, candidates);
        return key is null ? (null, refusal) : Judge(jwt, key, current);
    }

    private static bool IsPublishedAlgorithm(string algorithm) =>
        algorithm is "RS256" or "RS384" or "RS512" or "PS256" or "PS384" or "PS512" or "ES256" or "ES384" or "ES512";

    private async ValueTask<(VerificationKey?, CallerResult)> VerifySignature(string token, JwtSyntax jwt, SigningKeySet current, List<VerificationKey> candidates)
    {
        foreach (var key in candidates)
        {
            var result = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
            {
                IssuerSigningKey = key.Key,
                TryAllIssuerSigningKeys = true,
                ValidAlgorithms = [jwt.Algorithm],
                RequireSignedTokens = true,
                ValidIssuers = key.Issuer is null ? current.Issuers : [key.Issuer],
                ValidAudiences = _settings.Audiences,
                IgnoreTrailingSlashWhenValidatingAudience = false,
                ValidateLifetime = false, // By Judge, with the host's clock and codes of its own.
                LogValidationExceptions = false,
            });
            if (result.IsValid)
            {
                return (key, default);
            }

            if (result.Exception is SecurityTokenInvalidIssuerException or SecurityTokenInvalidAudienceException)
            {
                return (null, Refusals.Issuer);
            }
        }

        keys.Suspect();
        return (null, Refusals.Signature);
    }

    private (VerifiedToken?, CallerResult) Judge(JwtSyntax jwt, VerificationKey key, SigningKeySet current)
    {
        var now = time.GetUtcNow();
        if (!TokenClaims.TryReadDate(jwt.Claims, "exp", out var expires) || expires is not { } end
            || !TokenClaims.TryReadDate(jwt.Claims, "nbf", out var notBefore))
        {
            return (null, Refusals.Claims);
        }

        if (end + Skew <= now)
        {
            return (null, Refusals.Expired);
        }

        if (notBefore - Skew > now)
        {
            return (null, Refusals.NotYet);
        }

        return TokenClaims.Read(jwt.Claims) is { } caller
            ? (new VerifiedToken(caller, end + Skew, key, current), default)
            : (null, Refusals.Claims);
    }
}
