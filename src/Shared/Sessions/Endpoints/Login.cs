using Bff.Configuration;
using Bff.Edge;
using Bff.Sessions.SignIn;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Bff.Sessions.Endpoints;

/// <summary>Sends the browser to the provider: authorization code flow (RFC 6749) with PKCE (RFC 7636), state and nonce.</summary>
internal static class Login
{
    public static async Task<IResult> Handle(
        HttpContext context, SessionSite site, LoginStates states, ProviderMetadata metadata, Reloadable<SessionSettings> settings)
    {
        var asked = context.Request.Query["returnUrl"];
        var returnUrl = asked.Count switch
        {
            0 => site.Home,
            1 => ReturnUrl.Local(asked[0] ?? ""),
            _ => null,
        };
        if (returnUrl is null)
        {
            return Problem.Invalid("returnUrl", "Must be a path of this host, such as /orders.");
        }

        var provider = await metadata.Get(context.RequestAborted);
        var login = await states.Begin(context, returnUrl);
        return TypedResults.Redirect(QueryHelpers.AddQueryString(provider.AuthorizationEndpoint, new Dictionary<string, string?>
        {
            ["response_type"] = "code",
            ["client_id"] = settings.Current.ClientId,
            ["redirect_uri"] = RedirectUri(context, site),
            ["scope"] = settings.Current.Scopes,
            ["state"] = login.State,
            ["nonce"] = login.Nonce,
            ["code_challenge"] = LoginStates.Challenge(login.Verifier),
            ["code_challenge_method"] = "S256",
        }));
    }

    public static string RedirectUri(HttpContext context, SessionSite site) => PublicUrl.Of(context) + site.Prefix + "/callback";
}
