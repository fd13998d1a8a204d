using Bff.Audit;
using Bff.Requests;
using Bff.Sessions.SignIn;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions.Endpoints;

/// <summary>The user's open sessions.</summary>
public sealed record SessionList(IReadOnlyList<SessionItem> Items);

/// <param name="Id">Id with which the session can be ended. It cannot be used as the session's cookie.</param>
/// <param name="Device">Browser and operating system, such as <c>Firefox on Linux</c>.</param>
/// <param name="Created">Time of the sign-in.</param>
/// <param name="LastSeen">Time of the session's last request, accurate to about a minute.</param>
/// <param name="Current">Whether this is the session of the request.</param>
public sealed record SessionItem(string Id, string Device, DateTimeOffset Created, DateTimeOffset LastSeen, bool Current);

internal static class ManageSessions
{
    public static async Task<IResult> List(HttpContext context, SessionVault vault)
    {
        if (BrowserSession.Of(context) is not { } current)
        {
            return BrowserSession.Missing(context);
        }

        var sessions = await vault.Members(SessionKey.UserIndex(current.Record.Subject));
        var items = sessions
            .OrderByDescending(s => s.LastSeen)
            .Select(s => new SessionItem(s.Id, s.Record.Device, s.Record.CreatedAt, s.LastSeen, s.Key == current.Key))
            .ToList();
        return TypedResults.Json(new SessionList(items), SessionAnswersJson.Default.SessionList);
    }

    public static async Task<IResult> EndOne(
        string id,
        HttpContext context,
        SessionVault vault,
        SessionCookie cookie,
        ProviderClient provider
    )
    {
        if (BrowserSession.Of(context) is not { } current)
        {
            return BrowserSession.Missing(context);
        }

        var session = (await vault.Members(SessionKey.UserIndex(current.Record.Subject))).Find(s => s.Id == id);
        if (session is null)
        {
            return new Problem(ProblemCodes.NotFound);
        }

        await End(session, vault, provider, session.Key == current.Key ? null : ChangedBy.Of(context));
        if (session.Key == current.Key)
        {
            cookie.Delete(context);
        }

        return TypedResults.NoContent();
    }

    public static async Task<IResult> EndOthers(HttpContext context, SessionVault vault, ProviderClient provider)
    {
        if (BrowserSession.Of(context) is not { } current)
        {
            return BrowserSession.Missing(context);
        }

        var others = (await vault.Members(SessionKey.UserIndex(current.Record.Subject))).Where(s => s.Key != current.Key);
        var by = ChangedBy.Of(context);
        await Task.WhenAll(others.Select(other => End(other, vault, provider, by)));
        return TypedResults.NoContent();
    }

    private static async Task End(BrowserSession session, SessionVault vault, ProviderClient provider, ChangedBy? by)
    {
        await vault.End(session.Key, session.Record, leaveMark: false, by);
        if (session.Record.RefreshToken is { } refreshToken)
        {
            await provider.Revoke(refreshToken);
        }
    }
}
