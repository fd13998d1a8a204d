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
/// The framework's handler of the authorization code flow, run by the sign-in's own endpoints, so that limits, problems and traces hold for
/// them as for all others: it is no scheme of the host. The state comes from <see cref="LoginStates"/>, the code goes out through
/// <see cref="ProviderClient"/>; the other rules are <see cref="SignInEvents"/>.
/// </summary>
internal sealed class SignInHandler(IOptionsMonitor<OpenIdConnectOptions> options, SignInEvents events, ProviderClient provider)
    : OpenIdConnectHandler(options, NullLoggerFactory.Instance, HtmlEncoder.Default, UrlEncoder.Default) // It logs what the provider writes: names and addresses of people.
{
    private static readonly AuthenticationScheme Own = new("sign-in", null, typeof(SignInHandler));

    /// <summary>Sends the browser to the provider.</summary>
    public async Task Begin(HttpContext context, AuthenticationProperties properties)
    {
        await InitializeAsync(Own, context);
        await ChallengeAsync(properties);
    }

    /// <summary>Takes the provider's answer; <see cref="SignInEvents"/> says what came of it.</summary>
    public async Task Complete(HttpContext context)
    {
        await InitializeAsync(Own, context);
        await HandleRequestAsync();
    }

    /// <inheritdoc />
    public override Task<bool> ShouldHandleRequestAsync() => Task.FromResult(true); // Routing has decided.

    /// <inheritdoc />
    protected override void GenerateCorrelationId(AuthenticationProperties properties)
    {
        // The state is bound to the browser by the cookie that it is kept in.
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
                    ? SignInEvents.Malformed("The identity provider refused the code.")
                    : SignInEvents.Away("The identity provider does not answer.")
            );
        }

        events.Tokens = tokens;
        return new OpenIdConnectMessage { AccessToken = tokens.AccessToken, IdToken = tokens.IdToken };
    }

    /// <summary>
    /// A provider that cannot say more of the user ends no sign-in; whether one that must say more does, the caller decides.
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
