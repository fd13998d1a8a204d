using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.Callers.Bearer;
using Bff.Requests;

namespace Bff.Sessions.SignIn;

/// <summary>The user who has signed in.</summary>
/// <param name="User">The user according to the id_token, completed by user info.</param>
/// <param name="IsCompleted">Whether user info was added. A refreshed id_token will lack it again.</param>
internal readonly record struct SignedIn(Caller User, bool IsCompleted);

/// <summary>
/// Reads the claims of a sign-in, with user info if <c>Session:UserInfo</c> says so. The id_token's claims take precedence, because it is
/// signed.
/// </summary>
internal static class UserClaims
{
    /// <summary>Whether to ask for user info.</summary>
    public static bool WantsMore(JsonElement idToken, SessionSettings settings) =>
        settings.UserInfo switch
        {
            UserInfoUse.Never => false,
            UserInfoUse.Always => true,
            _ => TokenClaims.Read(idToken, settings.Claims, TokenUse.SignIn) is { } user && (user.Name is null || user.Email is null),
        };

    /// <summary>Reads the user. Null if the claims are malformed.</summary>
    /// <param name="idToken">Claims of the verified id_token.</param>
    /// <param name="userInfo">User info for the same <c>sub</c>. Null if it was not asked for or could not be read.</param>
    /// <param name="settings">The session settings.</param>
    /// <exception cref="ProblemException">
    /// 503 <c>upstream_unavailable</c>: user info is required and the provider does not give it.
    /// </exception>
    public static SignedIn? Read(JsonElement idToken, JsonElement? userInfo, SessionSettings settings)
    {
        if (TokenClaims.Read(idToken, settings.Claims, TokenUse.SignIn) is not { } user)
        {
            return null;
        }

        if (userInfo is not { } info)
        {
            return settings.UserInfo == UserInfoUse.Always
                ? throw new ProblemException(
                    SignInEvents.Away("The identity provider did not return the user's data. Sign in again later.")
                )
                : new(user, false);
        }

        return
            TokenClaims.Read(Together(idToken, info), settings.Claims, TokenUse.SignIn) is { } completed
            && completed.Subject == user.Subject
            ? new(completed, true)
            : null;
    }

    private static JsonElement Together(JsonElement idToken, JsonElement info)
    {
        var all = JsonObject.Create(idToken)!;
        foreach (var claim in info.EnumerateObject())
        {
            if (!idToken.TryGetProperty(claim.Name, out _))
            {
                all[claim.Name] = JsonNode.Parse(claim.Value.GetRawText());
            }
        }

        using var document = JsonDocument.Parse(all.ToJsonString());
        return document.RootElement.Clone();
    }
}
