using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Bff.Dev.IdentityProvider;

/// <summary>
/// Stores codes and refresh tokens. Each is valid once. A second use revokes everything that the sign-in granted, because one of the two
/// users of the token is not the client (RFC 6749, section 4.1.2, and RFC 9700, section 4.14.2).
/// </summary>
internal sealed class GrantStore(IdentityProviderOptions options)
{
    private readonly ExpiringStore<AuthorizationCode> codes = new(options.Time);
    private readonly ExpiringStore<RefreshToken> refreshTokens = new(options.Time);
    private readonly ExpiringStore<Grant> grants = new(options.Time);

    public string Begin(AuthorizationRequest request, SsoSession session)
    {
        var now = options.Time.GetUtcNow();
        var grant = new Grant
        {
            ClientId = request.ClientId,
            User = session.User,
            Scopes = request.Scopes,
            Sid = session.Sid,
            SignedInAt = session.SignedInAt,
            Ends = now + request.Client.RefreshTokenLifetime,
        };
        grants.Keep(Handle.Create("grant_"), grant, grant.Ends);

        var code = Handle.Create("code_");
        var kept = new AuthorizationCode
        {
            Grant = grant,
            RedirectUri = request.RedirectUri,
            Challenge = request.Challenge,
            Nonce = request.Nonce,
        };
        codes.Keep(code, kept, now + options.CodeLifetime);
        return code;
    }

    public AuthorizationCode? Redeem(string? handle, string clientId, string? redirectUri, string? verifier)
    {
        if (codes.Find(handle) is not { } code || code.Grant.ClientId != clientId)
            return null;
        lock (code.Grant.Gate)
        {
            if (code.Spent)
            {
                code.Grant.Revoked = true;
                return null;
            }

            code.Spent = true;
            return !code.Grant.Revoked && code.RedirectUri == redirectUri && Answers(verifier, code.Challenge) ? code : null;
        }
    }

    public string NextRefreshToken(Grant grant)
    {
        var handle = Handle.Create("rt_");
        lock (grant.Gate)
            refreshTokens.Keep(handle, new RefreshToken(grant, ++grant.Generation), grant.Ends);
        return handle;
    }

    /// <summary>Uses up a refresh token and returns its successor, or null.</summary>
    public (Grant Grant, string Next)? Rotate(string? handle, string clientId)
    {
        if (refreshTokens.Find(handle) is not { } token || token.Grant.ClientId != clientId)
            return null;
        lock (token.Grant.Gate)
        {
            if (token.Grant.Revoked)
                return null;
            if (token.Generation == token.Grant.Generation)
                return (token.Grant, NextRefreshToken(token.Grant));
            token.Grant.Revoked = true;
            return null;
        }
    }

    /// <summary>Returns the sign-in of a refresh token that is currently valid.</summary>
    public Grant? Find(string? handle) =>
        refreshTokens.Find(handle) is { } token && !token.Grant.Revoked && token.Generation == token.Grant.Generation ? token.Grant : null;

    /// <summary>Returns the sign-in of a refresh token, used up or not.</summary>
    public Grant? FamilyOf(string? handle) => refreshTokens.Find(handle)?.Grant;

    public int Revoke(Func<Grant, bool> which)
    {
        var chosen = grants.Live.Where(grant => !grant.Revoked && which(grant)).ToArray();
        foreach (var grant in chosen)
            grant.Revoked = true;
        return chosen.Length;
    }

    private static bool Answers(string? verifier, string challenge)
    {
        if (verifier is not { Length: >= 43 and <= 128 })
            return false;
        var hash = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(hash), Encoding.ASCII.GetBytes(challenge));
    }
}
