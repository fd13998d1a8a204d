using Bff.Configuration;
using Bff.Requests;
using Bff.Sessions.SignIn;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions.Endpoints;

/// <summary>Redirects the browser to the provider: authorization code flow (RFC 6749) with PKCE (RFC 7636), state and nonce.</summary>
internal static class Login
{
    private const int MaxValueLength = 512;

    public static async Task<IResult> Handle(
        HttpContext context,
        SessionSite site,
        LoginStates states,
        SignInHandler handler,
        Reloadable<SessionSettings> settings
    )
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

        var handedThrough = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in current.LoginParameters.Where(context.Request.Query.ContainsKey))
        {
            if (context.Request.Query[name] is not [{ Length: > 0 and <= MaxValueLength } value] || value.Any(char.IsControl))
            {
                return Problem.Invalid(name, "Must be given once, with at most 512 characters.");
            }

            handedThrough[name] = value;
        }

        var login = await states.Begin(context, returnUrl);
        SignInEvents.HandThrough(login.Properties, handedThrough);
        await handler.Begin(context, login.Properties);
        states.Keep(context, login);
        return TypedResults.Empty; // The handler has redirected.
    }
}
