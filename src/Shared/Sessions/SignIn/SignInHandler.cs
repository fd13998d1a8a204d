using System.IdentityModel.Tokens.Jwt;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bff.Requests;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Bff.Sessions.SignIn;

/// <summary>
/// The framework's handler of the authorization code flow. It is run by the sign-in's own endpoints and is no authentication scheme of the
/// host, so that limits, problems and traces work as for all other endpoints. The state comes from <see cref="LoginStates"/>, and
/// <see cref="ProviderClient"/> redeems the code. The other rules are in <see cref="SignInEvents"/>. The handler's own logging is off,
/// because it logs what the provider sends: names and addresses of people.
/// </summary>
internal sealed class SignInHandler(IOptionsMonitor<OpenIdConnectOptions> options, SignInEvents events, ProviderClient provider)
    : OpenIdConnectHandler(options, NullLoggerFactory.Instance, HtmlEncoder.Default, UrlEncoder.Default)
{
    private static readonly AuthenticationScheme Own = new("sign-in", null, typeof(SignInHandler));

    /// <summary>Redirects the browser to the provider.</summary>
    public async Task Begin(HttpContext context, AuthenticationProperties properties)
    {
        await InitializeAsync(Own, context);
        await ChallengeAsync(properties);
    }

    /// <summary>Handles the provider's answer. <see cref="SignInEvents"/> has the result.</summary>
    public async Task Complete(HttpContext context)
    {
        await InitializeAsync(Own, context);
        await HandleRequestAsync();
    }

    /// <inheritdoc />
    public override Task<bool> ShouldHandleRequestAsync() => Task.FromResult(true); // Routing has decided that already.

    /// <inheritdoc />
    protected override void GenerateCorrelationId(AuthenticationProperties properties)
    {
        // The cookie that keeps the state already binds it to the browser.
    }

    /// <inheritdoc />
    protected override bool ValidateCorrelationId(AuthenticationProperties properties) => true;

    /// <inheritdoc />
    protected override async Task<OpenIdConnectMessage> RedeemAuthorizationCodeAsync(OpenIdConnectMessage tokenEndpointRequest)
    {
        var answer = await provider.RedeemCode(tokenEndpointRequest.Parameters, CancellationToken.None);
        if (answer is not { Outcome: ProviderOutcome.Ok, Tokens: { } tokens })
        {
            throw new ProblemException(
                answer.Outcome == ProviderOutcome.Refused
                    ? SignInEvents.Malformed("The identity provider refused the sign-in's code. Sign in again.")
                    : SignInEvents.Away("The identity provider does not answer. Sign in again later.")
            );
        }

        events.Tokens = tokens;
        return new OpenIdConnectMessage { AccessToken = tokens.AccessToken, IdToken = tokens.IdToken };
    }

    /// <summary>
    /// Asks for user info. A provider that does not answer here does not end the sign-in; the caller decides whether user info was
    /// required.
    /// </summary>
    protected override async Task<HandleRequestResult> GetUserInformationAsync(
        OpenIdConnectMessage message,
        JwtSecurityToken jwt,
        ClaimsPrincipal principal,
        AuthenticationProperties properties
    )
    {
        var without = HandleRequestResult.Success(new AuthenticationTicket(principal, properties, Scheme.Name));
        if (!events.WantsUserInfo)
        {
            return without;
        }

        try
        {
            var result = await base.GetUserInformationAsync(message, jwt, principal, properties);
            return result.Succeeded ? result : without;
        }
        catch (Exception away) when (away is HttpRequestException or JsonException or OperationCanceledException)
        {
            events.NoteNoUserInfo(away);
            return without;
        }
    }
}
