using Bff.Configuration;
using Bff.Edge;
using Bff.Requests;
using Bff.Sessions.SignIn;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions.Endpoints;

/// <summary>Sends the browser to the provider: authorization code flow (RFC 6749) with PKCE (RFC 7636), state and nonce.</summary>
internal static class Login
{
    public static async Task<IResult> Handle(
        HttpContext context, SessionSite site, LoginStates states, ProviderMetadata metadata, AuthorizationAddress address, Reloadable<SessionSettings> settings)
    {
        var current = settings.Current;
        var asked = context.Request.Query["returnUrl"];
        var returnUrl = asked.Count switch
        {
            0 => site.HomeBy(current),
            1 => ReturnUrl.Of(asked[0] ?? "", current.ReturnOrigins),
            _ => null,
        };
        if (returnUrl is null)
        {
            return Problem.Invalid("returnUrl", "Must be a path of this host, such as /orders.");
        }

        var parameters = new Dictionary<string, string?>(StringComparer.Ordinal);
        if (AuthorizationAddress.Add(parameters, context.Request.Query, current) is { } wrong)
        {
            return Problem.Invalid(wrong, "Must be given once, with at most 512 characters.");
        }

        var provider = await metadata.Get(context.RequestAborted);
        var login = await states.Begin(context, returnUrl);
        parameters["response_type"] = "code";
        parameters["client_id"] = current.ClientId;
        parameters["redirect_uri"] = RedirectUri(context, site);
        parameters["scope"] = current.Scopes;
        parameters["state"] = login.State;
        parameters["nonce"] = login.Nonce;
        parameters["code_challenge"] = LoginStates.Challenge(login.Verifier);
        parameters["code_challenge_method"] = "S256";
        return TypedResults.Redirect(await address.Of(provider, parameters, context.RequestAborted));
    }

    public static string RedirectUri(HttpContext context, SessionSite site) => PublicUrl.Of(context) + site.Prefix + "/callback";
}
