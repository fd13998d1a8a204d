using System.Runtime.ExceptionServices;
using System.Text.Json;
using Bff.Callers.Providers;
using Bff.Configuration;
using Bff.Edge;
using Bff.Requests;
using Bff.State;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Bff.Sessions.SignIn;

/// <summary>
/// Adds the rules of a sign-in that the framework's handler lacks. One object per request.
/// On the way to the provider:
/// 1. The redirect address is the public one, and the nonce is kept with the state.
/// 2. Parameters are pushed with the host's own client authentication.
/// On the way back:
/// 3. The state is spent, whatever follows. A browser that returns a second time and is signed in is sent home.
/// 4. The answer must be this provider's (RFC 9207).
/// 5. The nonce must be the state's.
/// 6. User info must be one JSON document without duplicate members.
/// 7. The endpoint begins the session, and a failure becomes a problem.
/// </summary>
internal sealed partial class SignInEvents(
    LoginStates states,
    SessionSite site,
    SessionCookie cookie,
    SessionVault vault,
    ProviderClient provider,
    ProviderMetadata metadata,
    Reloadable<SessionSettings> settings,
    ILogger<SignInEvents> logger
) : OpenIdConnectEvents
{
    private const string NonceItem = "nonce",
        HandedThrough = "parameters";
    private static readonly string[] Once = ["state", "code", "iss", "error"];

    /// <summary>The answer to give instead of beginning a session.</summary>
    public IResult? Refusal { get; private set; }

    /// <summary>The token endpoint's answer.</summary>
    public TokenAnswer? Tokens { get; set; }

    /// <summary>The id_token's claims, once it has been verified.</summary>
    public JsonElement IdToken { get; private set; }

    /// <summary>The user info. Null if it was not asked for or could not be read.</summary>
    public JsonElement? UserInfo { get; private set; }

    /// <summary>The nonce of the sign-in.</summary>
    public string? Nonce { get; private set; }

    /// <summary>Where the browser goes next. Null: the sign-in has not been completed.</summary>
    public string? ReturnUrl { get; private set; }

    /// <summary>Whether <c>Session:UserInfo</c> requires user info after this id_token.</summary>
    public bool WantsUserInfo => UserClaims.WantsMore(IdToken, settings.Current);

    /// <summary>Adds parameters for the provider beside the configured ones.</summary>
    public static void HandThrough(AuthenticationProperties login, IReadOnlyDictionary<string, string> parameters) =>
        login.SetParameter(HandedThrough, parameters);

    public static Problem Malformed(string detail) => new(ProblemCodes.MalformedRequest) { Detail = detail };

    public static Problem Away(string detail) =>
        new(ProblemCodes.UpstreamUnavailable) { Detail = detail, RetryAfter = TimeSpan.FromSeconds(2) };

    public void NoteNoUserInfo(Exception away) => LogNoUserInfo(logger, away.GetType().Name);

    /// <inheritdoc />
    public override async Task RedirectToIdentityProvider(RedirectContext context)
    {
        var message = context.ProtocolMessage;
        message.RedirectUri = PublicUrl.Of(context.HttpContext) + site.Prefix + "/callback"; // 1.
        message.Nonce = context.Options.ProtocolValidator.GenerateNonce();
        context.Properties.SetString(NonceItem, message.Nonce);
        foreach (var (name, value) in context.Properties.GetParameter<IReadOnlyDictionary<string, string>>(HandedThrough)!)
        {
            message.SetParameter(name, value);
        }

        if (
            settings.Current.PushedAuthorization == PushedAuthorization.Require
            && string.IsNullOrEmpty((await metadata.Get(context.HttpContext.RequestAborted)).PushedAuthorizationRequestEndpoint)
        )
        {
            LogNotOffered(logger);
            throw NotPushed();
        }
    }

    /// <inheritdoc />
    public override async Task PushAuthorization(PushedAuthorizationContext context)
    {
        var cancellation = context.HttpContext.RequestAborted;
        var endpoint = (await metadata.Get(cancellation)).PushedAuthorizationRequestEndpoint;
        context.HandlePush(await provider.Push(endpoint, context.ProtocolMessage.Parameters, cancellation) ?? throw NotPushed()); // 2.
    }

    /// <inheritdoc />
    public override async Task MessageReceived(MessageReceivedContext context)
    {
        var (http, query) = (context.HttpContext, context.Request.Query);
        var state = query["state"] is [{ } one] ? one : null;
        context.Properties = await states.Spend(http, state); // 3.
        if (context.Properties is null)
        {
            Refuse(
                await IsRepeated(http, state)
                    ? TypedResults.Redirect(site.HomeBy(settings.Current))
                    : Malformed("The sign-in was not started in this browser, took too long or is already complete. Sign in again.")
            );
            context.HandleResponse();
            return;
        }

        // From here on the browser's disconnecting is ignored: the provider regards the code as spent in any case.
        http.RequestAborted = CancellationToken.None;
        if (Once.Any(name => query[name].Count > 1) || !IsFrom(await metadata.Get(CancellationToken.None), query)) // 4.
        {
            Refuse(Malformed("The answer did not come from the identity provider. Sign in again."));
            context.HandleResponse();
        }
    }

    /// <inheritdoc />
    public override Task TokenValidated(TokenValidatedContext context)
    {
        context.Nonce = Nonce = context.Properties!.GetString(NonceItem); // 5.
        IdToken = ProviderTokens.Claims(context.SecurityToken.RawPayload);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override Task UserInformationReceived(UserInformationReceivedContext context)
    {
        try
        {
            using var strict = JsonDocument.Parse(context.User.RootElement.GetRawText(), new() { AllowDuplicateProperties = false }); // 6.
            JsonTexts.Check(strict.RootElement);
            UserInfo =
                strict.RootElement.ValueKind == JsonValueKind.Object
                    ? strict.RootElement.Clone()
                    : throw new JsonException("User info is no object.");
        }
        catch (InvalidOperationException broken)
        {
            throw new JsonException("User info has a text that is none.", broken);
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override Task TicketReceived(TicketReceivedContext context)
    {
        ReturnUrl = context.ReturnUri; // 7.
        context.HandleResponse();
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override Task RemoteFailure(RemoteFailureContext context)
    {
        if (context.Failure is ProblemException or StoreException or OperationCanceledException)
        {
            ExceptionDispatchInfo.Throw(context.Failure);
        }

        LogFailed(logger, context.Failure?.GetType().Name ?? "");
        Refuse(
            context.Failure?.Data["error"] switch
            {
                // RFC 6749 section 4.1.2.1: the provider answers through the browser, so it cannot use a status.
                "temporarily_unavailable" or "server_error" => Away("The identity provider is unavailable. Sign in again later."),
                not null => new Problem(ProblemCodes.Forbidden)
                {
                    Detail = "The identity provider refused the sign-in. Sign in again, or with another account.",
                },
                null when Tokens is null => Malformed("The identity provider's answer has no code. Sign in again."),
                null => Malformed("The identity provider's token could not be verified. Sign in again."),
            }
        );
        context.HandleResponse();
        return Task.CompletedTask;
    }

    private static ProblemException NotPushed() => new(Away("The identity provider did not accept the sign-in. Sign in again later."));

    /// <summary>
    /// Whether the answer is from the provider. The comparison is exact (RFC 9207 section 2.4). If the issuer stands for many tenants, the
    /// id_token shows the tenant.
    /// </summary>
    private static bool IsFrom(OpenIdConnectConfiguration provider, IQueryCollection query) =>
        query["iss"] is [{ } issuer]
            ? IssuerRule.IsTemplate(provider.Issuer)
                ? IssuerRule.IsOf(provider.Issuer, issuer)
                : issuer == provider.Issuer
            : !query.ContainsKey("iss") && !provider.AuthorizationResponseIssParameterSupported;

    private void Refuse(IResult answer) => Refusal = answer;

    // A browser may navigate back to this address. If it is signed in by then, its user need not see an error.
    private async Task<bool> IsRepeated(HttpContext context, string? state) =>
        await states.IsSpent(state)
        && SessionKey.OfCookie(cookie.Read(context)) is { } key
        && (await vault.Find(key, slides: false, context.RequestAborted)).Session is not null;

    [LoggerMessage(
        1521,
        LogLevel.Error,
        "Session:PushedAuthorization is Require, but the identity provider's discovery document names no "
            + "pushed_authorization_request_endpoint; every sign-in is refused",
        EventName = "PushedAuthorizationNotOffered"
    )]
    private static partial void LogNotOffered(ILogger logger);

    [LoggerMessage(1522, LogLevel.Warning, "A sign-in failed ({Failure}); no session was created", EventName = "SignInFailed")]
    private static partial void LogFailed(ILogger logger, string failure);

    [LoggerMessage(
        1523,
        LogLevel.Warning,
        "The identity provider's user info could not be read: {Failure}; the user's claims are those of the id_token",
        EventName = "UserInfoUnreadable"
    )]
    private static partial void LogNoUserInfo(ILogger logger, string failure);
}
