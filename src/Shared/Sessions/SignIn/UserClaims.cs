using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.Callers;
using Bff.Configuration;
using Bff.Requests;

namespace Bff.Sessions.SignIn;

/// <summary>Who has signed in.</summary>
/// <param name="User">As the id_token says, and user info adds.</param>
/// <param name="IsCompleted">Whether user info added anything that a refreshed id_token will lack again.</param>
internal readonly record struct SignedIn(Caller User, bool IsCompleted);

/// <summary>Reads the claims of a sign-in, with user info where <c>Session:UserInfo</c> says so. What the id_token says wins: it is signed.</summary>
internal sealed class UserClaims(ProviderClient provider, ProviderMetadata metadata, Reloadable<SessionSettings> settings)
{
    /// <summary>Null when they are malformed, or user info speaks of somebody else.</summary>
    /// <param name="idToken">Verified.</param>
    /// <param name="accessToken">That came with it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ProblemException">503 <c>upstream_unavailable</c>: user info must be asked, and does not answer.</exception>
    public async ValueTask<SignedIn?> Read(JsonElement idToken, string accessToken, CancellationToken cancellation)
    {
        var current = settings.Current;
        if (TokenClaims.Read(idToken, current.Claims, TokenUse.SignIn) is not { } user)
        {
            return null;
        }

        if (current.UserInfo == UserInfoUse.Never || (current.UserInfo == UserInfoUse.Auto && user is { Name: not null, Email: not null }))
        {
            return new(user, false);
        }

        var endpoint = (await metadata.Get(cancellation)).UserInfoEndpoint;
        var said = string.IsNullOrEmpty(endpoint) ? null : await provider.UserInfo(endpoint, accessToken, cancellation);
        if (said is not { } info)
        {
            return current.UserInfo == UserInfoUse.Auto ? new(user, false) : throw new ProblemException(new Problem(ProblemCodes.UpstreamUnavailable)
            {
                Detail = "The identity provider does not say who the user is.", RetryAfter = TimeSpan.FromSeconds(2),
            });
        }

        // Section 5.3.2: without this the access token of one user could bring the claims of another.
        if (ProviderTokens.Text(info, "sub") is not { } subject || subject != ProviderTokens.Text(idToken, "sub"))
        {
            return null;
        }

        return TokenClaims.Read(Together(idToken, info), current.Claims, TokenUse.SignIn) is { } completed && completed.Subject == user.Subject ? new(completed, true) : null;
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
