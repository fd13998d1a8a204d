using System.Security.Cryptography;
using System.Text;
using Bff.Callers.Providers;
using Bff.Configuration;
using Bff.Edge;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.Sessions.SignIn;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Bff.Sessions.Endpoints;

/// <summary>
/// Signs out.
/// 1. The request must carry the session's own <c>sid</c>, so that no foreign page can sign the user out.
/// 2. The session ends here.
/// 3. Its refresh token is revoked.
/// 4. The browser leaves through the provider (OpenID Connect RP-Initiated Logout 1.0).
/// No token travels through the browser, unless <c>Session:IdTokenHint</c> allows it. Ending a session is free, so that it is possible
/// however little the client's address has left. A request that ends no session is charged to the address.
/// </summary>
internal static class Logout
{
    public static async Task<IResult> Handle(
        HttpContext context,
        SessionSite site,
        SessionCookie cookie,
        SessionVault vault,
        ProviderMetadata metadata,
        ProviderClient provider,
        Reloadable<SessionSettings> settings,
        RateLimiter limiter
    )
    {
        var key = SessionKey.OfCookie(cookie.Read(context));
        var session = key is null ? null : (await vault.Find(key, slides: false, context.RequestAborted)).Session;
        if (session is null)
        {
            if (await limiter.Charge(context, 1) is { } refusal)
            {
                return refusal;
            }

            cookie.Delete(context);
            return TypedResults.Redirect(site.HomeBy(settings.Current)); // There is nothing left to protect.
        }

        if (
            context.Request.Query["sid"] is not [{ } sid]
            || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(sid), Encoding.UTF8.GetBytes(session.Id))
        )
        {
            return new Problem(ProblemCodes.Forbidden) { Detail = "Sign out with the logoutUrl that the user resource returns." };
        }

        RateLimiter.ChargeElsewhere(context);
        await vault.End(session.Key, session.Record, leaveMark: false);
        cookie.Delete(context);
        if (session.Record.RefreshToken is { } refreshToken)
        {
            await provider.Revoke(refreshToken);
        }

        return TypedResults.Redirect(await Exit(context, site, session.Record, metadata, settings.Current));
    }

    private static async Task<string> Exit(
        HttpContext context,
        SessionSite site,
        SessionRecord record,
        ProviderMetadata metadata,
        SessionSettings settings
    )
    {
        var home = site.HomeBy(settings);
        try
        {
            if ((await metadata.Get(context.RequestAborted)).EndSessionEndpoint is { Length: > 0 } endpoint)
            {
                var parameters = new Dictionary<string, string?>
                {
                    ["client_id"] = settings.ClientId,
                    ["logout_hint"] = record.ProviderSession ?? record.ProviderSubject ?? record.Subject,
                    ["post_logout_redirect_uri"] = home[0] == '/' ? PublicUrl.Of(context) + home : home,
                };
                if (settings.OfProvider is { Type: ProviderType.Cognito })
                {
                    parameters["logout_uri"] = parameters["post_logout_redirect_uri"]; // Cognito's name for the same parameter.
                }

                if (settings.IdTokenHint && record.IdToken is { } idToken)
                {
                    parameters["id_token_hint"] = idToken;
                }

                return QueryHelpers.AddQueryString(endpoint, parameters);
            }
        }
        catch (ProblemException)
        {
            // The provider is away, but the user is signed out here.
        }

        return home;
    }
}
