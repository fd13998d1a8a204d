using System.Text.Json;
using Bff.Callers;
using Bff.Configuration;
using Bff.Requests;
using Bff.Sessions.SignIn;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Bff.Sessions.Endpoints;

/// <summary>What the sign-in needs.</summary>
internal sealed record CallbackServices(
    SessionSite Site, SessionCookie Cookie, LoginStates States, ProviderMetadata Metadata, ProviderClient Provider, ProviderTokens Tokens,
    UserClaims Users, SessionVault Vault, Reloadable<SessionSettings> Settings, TimeProvider Time);

/// <summary>
/// The browser comes back from the provider: 1. its state is spent, whatever follows (who comes a second time and is signed in goes home); 2. the answer is this provider's (RFC 9207); 3. the code is
/// exchanged, once; 4. the id_token is verified; 5. a new session begins under a new cookie, and the browser's former one ends.
/// </summary>
internal static class Callback
{
    public static async Task<IResult> Handle(HttpContext context, CallbackServices services)
    {
        var query = context.Request.Query;
        var state = One(query, "state");
        if (await services.States.Spend(context, state) is not { } login)
        {
            return await IsRepeated(context, services, state)
                ? TypedResults.Redirect(services.Site.HomeBy(services.Settings.Current))
                : Malformed("The sign-in was not begun in this browser, took too long, or has been completed already. Begin again.");
        }

        var provider = await services.Metadata.Get(context.RequestAborted);
        if (!IsFrom(provider, query))
        {
            return Malformed("The answer is not the identity provider's.");
        }

        if (query.ContainsKey("error"))
        {
            return new Problem(ProblemCodes.Forbidden) { Detail = "The identity provider refused the sign-in." };
        }

        if (One(query, "code") is not { Length: > 0 } code)
        {
            return Malformed("The identity provider's answer has no code.");
        }

        // Not with the request's token: a code is spent at the provider whether or not the browser waits for it.
        var asked = services.Time.GetUtcNow();
        var answer = await services.Provider.RedeemCode(code, login.Verifier, Login.RedirectUri(context, services.Site), CancellationToken.None);
        if (answer is not { Outcome: ProviderOutcome.Ok, Tokens: { } tokens })
        {
            return answer.Outcome == ProviderOutcome.Refused
                ? Malformed("The identity provider refused the code.")
                : new Problem(ProblemCodes.UpstreamUnavailable) { Detail = "The identity provider does not answer.", RetryAfter = TimeSpan.FromSeconds(2) };
        }

        var claims = await services.Tokens.ReadIdToken(tokens.IdToken, login.Nonce, tokens.AccessToken!, CancellationToken.None);
        if (claims is not { } verified || await services.Users.Read(verified, tokens.AccessToken!, CancellationToken.None) is not { } user)
        {
            return Malformed("The identity provider's token could not be verified.");
        }

        await Begin(context, services, tokens, verified, user, login.Nonce, asked);
        return TypedResults.Redirect(login.ReturnUrl);
    }

    private static async Task Begin(
        HttpContext context, CallbackServices services, TokenAnswer tokens, JsonElement claims, SignedIn signedIn, string nonce, DateTimeOffset asked)
    {
        var (settings, user) = (services.Settings.Current, signedIn.User);
        var absolute = asked + settings.AbsoluteTimeout;
        var refreshEnd = tokens.RefreshTokenLife is { } life ? asked + life : absolute;
        var cookie = SessionKey.NewCookie();
        var former = SessionKey.OfCookie(services.Cookie.Read(context));
        await services.Vault.Add(SessionKey.Hash(cookie), new SessionRecord
        {
            Id = SessionKey.NewId(),
            Subject = user.Subject,
            Name = user.Name,
            Email = user.Email,
            Tenant = user.Tenant,
            Client = settings.ClientId,
            Roles = [.. user.Roles],
            Scopes = settings.Claims.ScopesOf(tokens.Scope ?? settings.Scopes),
            ProviderSession = ProviderTokens.Text(claims, "sid"),
            ProviderSubject = ProviderTokens.Text(claims, "sub"),
            IsCompleted = signedIn.IsCompleted,
            IdToken = settings.IdTokenHint ? tokens.IdToken : null,
            Nonce = nonce,
            Device = Device.Of(context.Request.Headers.UserAgent),
            CreatedAt = asked,
            EndsAt = refreshEnd < absolute ? refreshEnd : absolute,
            AccessToken = tokens.AccessToken!,
            AccessTokenIssuedAt = asked,
            AccessTokenEndsAt = asked + tokens.AccessTokenLife,
            RefreshToken = tokens.RefreshToken,
        });
        if (former is not null && (await services.Vault.Find(former, slides: false)).Session is { } old)
        {
            await services.Vault.End(former, old.Record, leaveMark: false);
        }

        services.Cookie.Write(context, cookie);
    }

    // Browsers go back to where they have been: who is signed in by then need not see an error.
    private static async Task<bool> IsRepeated(HttpContext context, CallbackServices services, string? state) =>
        await services.States.IsSpent(state) && SessionKey.OfCookie(services.Cookie.Read(context)) is { } key
        && (await services.Vault.Find(key, slides: false, context.RequestAborted)).Session is not null;

    /// <summary>Exact (RFC 9207 section 2.4); where the issuer stands for many tenants, the id_token says whose it is.</summary>
    private static bool IsFrom(OpenIdConnectConfiguration provider, IQueryCollection query) =>
        query.ContainsKey("iss")
            ? One(query, "iss") is { } issuer && (IssuerRule.IsTemplate(provider.Issuer) ? IssuerRule.IsOf(provider.Issuer, issuer) : issuer == provider.Issuer)
            : !provider.AuthorizationResponseIssParameterSupported;

    private static string? One(IQueryCollection query, string name) => query[name] is [{ } value] ? value : null;

    private static Problem Malformed(string detail) => new(ProblemCodes.MalformedRequest) { Detail = detail };
}
