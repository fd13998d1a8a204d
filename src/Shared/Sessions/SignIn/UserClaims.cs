using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.Callers.Bearer;
using Bff.Requests;

namespace Bff.Sessions.SignIn;

/// <summary>Who has signed in.</summary>
/// <param name="User">As the id_token says, and user info adds.</param>
/// <param name="IsCompleted">Whether user info added anything that a refreshed id_token will lack again.</param>
internal readonly record struct SignedIn(Caller User, bool IsCompleted);

/// <summary>
/// Reads the claims of a sign-in, with user info where <c>Session:UserInfo</c> says so. What the id_token says wins: it is signed.
/// </summary>
internal static class UserClaims
{
    /// <summary>Whether user info is asked.</summary>
    public static bool WantsMore(JsonElement idToken, SessionSettings settings) =>
        settings.UserInfo switch
        {
            UserInfoUse.Never => false,
            UserInfoUse.Always => true,
            _ => TokenClaims.Read(idToken, settings.Claims, TokenUse.SignIn) is { } user && (user.Name is null || user.Email is null),
        };

    /// <summary>Null when they are malformed.</summary>
    /// <param name="idToken">Verified.</param>
    /// <param name="userInfo">Of the same <c>sub</c>; null: it was not asked, or does not say.</param>
    /// <param name="settings">Of the session.</param>
    /// <exception cref="ProblemException">503 <c>upstream_unavailable</c>: user info must be asked, and does not answer.</exception>
    public static SignedIn? Read(JsonElement idToken, JsonElement? userInfo, SessionSettings settings)
    {
        if (TokenClaims.Read(idToken, settings.Claims, TokenUse.SignIn) is not { } user)
        {
            return null;
        }

        if (userInfo is not { } info)
        {
            return settings.UserInfo == UserInfoUse.Always
                ? throw new ProblemException(SignInEvents.Away("The identity provider does not say who the user is."))
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
