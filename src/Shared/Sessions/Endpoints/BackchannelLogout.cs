using System.Text.Json;
using Bff.Audit;
using Bff.Callers.Bearer;
using Bff.Callers.Providers;
using Bff.Configuration;
using Bff.Requests;
using Bff.Sessions.SignIn;
using Bff.Sessions.Stores;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions.Endpoints;

/// <summary>
/// OpenID Connect Back-Channel Logout 1.0: the provider ends sessions on every instance, without the browser. Of simultaneous copies of one
/// token, one is accepted.
/// 1. It holds the token's lock.
/// 2. The token has not been used.
/// 3. The sessions end.
/// 4. The token is spent last, so that the provider may try again with it while the store is away.
/// A copy that finds the lock held waits until the token is spent, or until the lock of a crashed instance expires. In the latter case the
/// copy is the provider's repetition, and must not be lost.
/// </summary>
internal static class BackchannelLogout
{
    private const int MaxFormBytes = 32 * 1024;

    /// <summary>
    /// Longer than it takes to end sessions. If that takes longer after all, a copy ends them again, and one of the two is accepted.
    /// </summary>
    private static readonly TimeSpan LockLife = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestWait = LockLife + TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    public static async Task<IResult> Handle(
        HttpContext context,
        ProviderTokens tokens,
        SessionVault vault,
        ISessionStore store,
        Reloadable<SessionSettings> settings,
        TimeProvider time
    )
    {
        context.Response.Headers.CacheControl = "no-store";
        if (await Read(context) is not { } token || await tokens.ReadLogoutToken(token, context.RequestAborted) is not { } claims)
        {
            return Refused();
        }

        var id = "logout:" + SessionKey.Hash(ProviderTokens.Text(claims, "jti")!);
        var owner = SessionKey.NewId();
        for (
            var asked = time.GetTimestamp();
            !await store.TryLock(id, owner, LockLife);
            await Task.Delay(Look, time, context.RequestAborted)
        )
        {
            if (await store.IsSpent(id))
            {
                return Refused();
            }

            if (time.GetElapsedTime(asked) > LongestWait)
            {
                return new Problem(ProblemCodes.StoreUnavailable) { RetryAfter = LockLife }; // Other requests hold it, one after the other.
            }
        }

        try
        {
            return
                !await store.IsSpent(id)
                && await End(claims, vault, settings.Current.Claims, ChangedBy.Of(context) with { Actor = "provider" })
                && await store.Spend(id, ProviderTokens.LogoutTokenMemory)
                ? TypedResults.Ok()
                : Refused();
        }
        finally
        {
            await store.Unlock(id, owner);
        }
    }

    /// <summary>
    /// Ends the sessions of the provider session that the token names, or else of its user. The user's claim here may be another than
    /// <c>sub</c>.
    /// </summary>
    private static async Task<bool> End(JsonElement claims, SessionVault vault, ClaimMap map, ChangedBy by)
    {
        var (sid, sub) = (ProviderTokens.Text(claims, "sid"), ProviderTokens.Text(claims, "sub"));
        var user = TokenClaims.SubjectOf(claims, map);
        string?[] indexes = sid is { Length: > 0 }
            ? [SessionKey.ProviderIndex(sid)]
            : [Index(SessionKey.UserIndex, user), Index(SessionKey.UserIndex, sub), Index(SessionKey.ProviderUserIndex, sub)];
        foreach (var index in indexes.OfType<string>().Distinct())
        {
            await vault.EndAll(
                index,
                record =>
                    string.IsNullOrEmpty(sub)
                    || (record.ProviderSubject ?? record.Subject) == sub
                    || (user != sub && record.Subject == user),
                by
            );
        }

        return true;

        static string? Index(Func<string, string> of, string? subject) => string.IsNullOrEmpty(subject) ? null : of(subject);
    }

    private static async Task<string?> Read(HttpContext context)
    {
        var request = context.Request;
        if (
            !request.HasFormContentType
            || request.ContentType!.StartsWith("multipart", StringComparison.OrdinalIgnoreCase)
            || request.ContentLength is > MaxFormBytes
        )
        {
            return null;
        }

        try
        {
            var form = await request.ReadFormAsync(
                new()
                {
                    KeyLengthLimit = 64,
                    ValueCountLimit = 16,
                    ValueLengthLimit = MaxFormBytes,
                    BufferBodyLengthLimit = MaxFormBytes,
                },
                context.RequestAborted
            );
            return form["logout_token"] is [{ } token] ? token : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static Problem Refused() => new(ProblemCodes.MalformedRequest) { Detail = "The logout token is not valid." };
}
