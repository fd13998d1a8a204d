using Bff.Configuration;
using Bff.Sessions.SignIn;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions.Endpoints;

/// <summary>The services that begin a session.</summary>
internal sealed record CallbackServices(SessionCookie Cookie, SessionVault Vault, Reloadable<SessionSettings> Settings, TimeProvider Time);

/// <summary>
/// Handles the browser's return from the provider.
/// 1. The framework's handler processes the answer, by the rules of <see cref="SignInEvents"/>.
/// 2. The claims determine the user.
/// 3. A new session begins under a new cookie, and the browser's former session ends.
/// </summary>
internal static class Callback
{
    public static async Task<IResult> Handle(HttpContext context, SignInHandler handler, SignInEvents events, CallbackServices services)
    {
        var asked = services.Time.GetUtcNow();
        await handler.Complete(context); // 1.
        if (events is not { ReturnUrl: { } returnUrl, Tokens: { } tokens })
        {
            return events.Refusal ?? SignInEvents.Malformed("The sign-in could not be completed. Sign in again.");
        }

        var settings = services.Settings.Current;
        if (UserClaims.Read(events.IdToken, events.UserInfo, settings) is not { } user) // 2.
        {
            return SignInEvents.Malformed("The identity provider's token could not be verified. Sign in again.");
        }

        await Begin(context, services, Record(context, settings, tokens, events, user, asked)); // 3.
        return TypedResults.Redirect(returnUrl);
    }

    private static SessionRecord Record(
        HttpContext context,
        SessionSettings settings,
        TokenAnswer tokens,
        SignInEvents events,
        SignedIn signedIn,
        DateTimeOffset asked
    )
    {
        var user = signedIn.User;
        var absolute = asked + settings.AbsoluteTimeout;
        var refreshEnd = tokens.RefreshTokenLife is { } life ? asked + life : absolute;
        return new()
        {
            Id = SessionKey.NewId(),
            Subject = user.Subject,
            Name = user.Name,
            Email = user.Email,
            Tenant = user.Tenant,
            Client = settings.ClientId,
            Roles = [.. user.Roles],
            Scopes = settings.Claims.SessionScopesOf(tokens.Scope ?? settings.Scopes),
            ProviderSession = ProviderTokens.Text(events.IdToken, "sid"),
            ProviderSubject = ProviderTokens.Text(events.IdToken, "sub"),
            IsCompleted = signedIn.IsCompleted,
            IdToken = settings.IdTokenHint ? tokens.IdToken : null,
            Nonce = events.Nonce,
            Device = Device.Of(context.Request.Headers.UserAgent),
            CreatedAt = asked,
            EndsAt = refreshEnd < absolute ? refreshEnd : absolute,
            AccessToken = tokens.AccessToken!,
            AccessTokenIssuedAt = asked,
            AccessTokenEndsAt = asked + tokens.AccessTokenLife,
            RefreshToken = tokens.RefreshToken,
        };
    }

    private static async Task Begin(HttpContext context, CallbackServices services, SessionRecord record)
    {
        var cookie = SessionKey.NewCookie();
        var former = SessionKey.OfCookie(services.Cookie.Read(context));
        await services.Vault.Add(SessionKey.Hash(cookie), record);
        if (former is not null && (await services.Vault.Find(former, slides: false)).Session is { } old)
        {
            await services.Vault.End(former, old.Record, leaveMark: false);
        }

        services.Cookie.Write(context, cookie);
    }
}
