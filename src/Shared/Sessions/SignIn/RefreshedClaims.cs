using System.Text.Json;
using Bff.Callers.Bearer;
using Bff.Callers.Providers;
using Bff.Configuration;
using Bff.Requests;

namespace Bff.Sessions.SignIn;

/// <summary>The user of a session according to the newest token.</summary>
/// <param name="Record">The updated session. Null if the token cannot be verified.</param>
/// <param name="IsAnother">Whether the token belongs to another user.</param>
internal readonly record struct RefreshedUser(SessionRecord? Record, bool IsAnother = false);

/// <summary>
/// Reads the claims that came with a refresh. Roles and tenant are taken from the new id_token, so that revoked ones are gone. Without an
/// id_token (section 12.2 of OpenID Connect Core 1.0 allows that), roles are taken from the access token, if it can be read and names
/// roles. Name and e-mail address stay if the token lacks them.
/// </summary>
internal sealed class RefreshedClaims(ProviderTokens tokens, Reloadable<SessionSettings> settings)
{
    public async ValueTask<RefreshedUser> Read(SessionRecord record, TokenAnswer answer, CancellationToken cancellation)
    {
        try
        {
            return answer.IdToken is { Length: > 0 } idToken
                ? await OfIdToken(record, idToken, answer.AccessToken!, cancellation)
                : await OfAccessToken(record, answer.AccessToken!, cancellation);
        }
        catch (ProblemException)
        {
            return default; // The provider's keys are unknown and cannot be read.
        }
    }

    private async ValueTask<RefreshedUser> OfIdToken(
        SessionRecord record,
        string idToken,
        string accessToken,
        CancellationToken cancellation
    )
    {
        if (
            await tokens.ReadRefreshedIdToken(idToken, record.Nonce, accessToken, cancellation) is not { } claims
            || TokenClaims.Read(claims, settings.Current.Claims, TokenUse.SignIn) is not { } user
        )
        {
            return default;
        }

        // An id_token that lacks what user info had added does not remove it.
        var map = settings.Current.Claims;
        return user.Subject != record.Subject
            ? new(null, IsAnother: true)
            : new(
                record with
                {
                    Name = user.Name ?? record.Name,
                    Email = user.Email ?? record.Email,
                    Tenant = record.IsCompleted && !Says(claims, map.Tenant) ? record.Tenant : user.Tenant,
                    Roles = record.IsCompleted && !Says(claims, map.Roles) ? record.Roles : [.. user.Roles],
                    IdToken = record.IdToken is null ? null : idToken,
                }
            );
    }

    private async ValueTask<RefreshedUser> OfAccessToken(SessionRecord record, string accessToken, CancellationToken cancellation)
    {
        return
            await tokens.ReadAccessToken(accessToken, cancellation) is { } claims
            && Says(claims, settings.Current.Claims.Roles)
            && TokenClaims.Read(claims, settings.Current.Claims, TokenUse.SignIn) is { } user
            && user.Subject == record.Subject
            ? new(record with { Roles = [.. user.Roles] })
            : new(record);
    }

    private static bool Says(JsonElement claims, string[] paths) => paths.Any(path => ClaimPath.TryFind(claims, path, out _));
}
