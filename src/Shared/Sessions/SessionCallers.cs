using Bff.Callers;
using Bff.Requests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions;

/// <summary>
/// Authenticates callers by the session's cookie.
/// 1. The cookie counts only on the site's paths, and only if the endpoint requires a caller.
/// 2. A page of this site must have made the request.
/// 3. The session must be alive; the request prolongs it.
/// 4. The access token must be valid, or is refreshed.
/// </summary>
internal sealed class SessionCallers(
    SessionSite site,
    SessionCookie cookie,
    CsrfRule csrf,
    SessionVault vault,
    SessionRefresh refresh,
    TimeProvider time
) : ICallerSource
{
    /// <inheritdoc />
    public string? Challenge => null;

    /// <inheritdoc />
    public async ValueTask<CallerResult> Resolve(HttpContext context)
    {
        var endpoint = context.GetEndpoint();
        var use = endpoint?.Metadata.GetMetadata<SessionUse>();
        if (endpoint?.Metadata.GetMetadata<IAllowAnonymous>() is not null && use is not { IsOptional: true })
        {
            return CallerResult.None;
        }

        if (!site.IsCredentialOn(context.Request.Path) || cookie.Read(context) is not { Length: > 0 } value)
        {
            return CallerResult.None;
        }

        if (!csrf.Admits(context, use))
        {
            return CallerResult.Refused(ProblemCodes.CsrfRejected);
        }

        var isOptional = use is { IsOptional: true };
        if (SessionKey.OfCookie(value) is not { } key)
        {
            return CallerResult.None;
        }

        var slides = use?.Slides ?? true;
        var (session, isOver) = await vault.Find(key, slides, context.RequestAborted);
        if (session is not null && slides && refresh.IsDue(session.Record))
        {
            (session, isOver) = await Refreshed(session, context.RequestAborted);
        }

        if (session is null || IsSpent(session.Record))
        {
            return isOptional || (session is null && !isOver) ? CallerResult.None : CallerResult.Refused(ProblemCodes.SessionExpired);
        }

        context.Features.Set(session);
        return CallerResult.Ok(session.Record.ToCaller());
    }

    CallerToken ICallerSource.TokenOf(HttpContext context) =>
        context.Features.Get<BrowserSession>() is { } session ? CallerToken.Of(session.Record.AccessToken) : default;

    /// <summary>Whether the session has ended with its access token, because it has no refresh token.</summary>
    private bool IsSpent(SessionRecord record) => record.RefreshToken is null && time.GetUtcNow() >= record.AccessTokenEndsAt;

    private async Task<SessionLookup> Refreshed(BrowserSession session, CancellationToken cancellation) =>
        await refresh.Run(session, cancellation) switch
        {
            RefreshOutcome.Ok => await vault.Find(session.Key, slides: false, cancellation),
            RefreshOutcome.Ended => await vault.Find(session.Key, slides: false, cancellation),
            _ => throw new ProblemException(
                new Problem(ProblemCodes.UpstreamUnavailable)
                {
                    Detail = "The identity provider does not answer. Wait as long as Retry-After says, then try again.",
                    RetryAfter = TimeSpan.FromSeconds(2),
                }
            ),
        };
}
