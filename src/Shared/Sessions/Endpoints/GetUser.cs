using Bff.Configuration;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Sessions.Endpoints;

/// <summary>The signed-in user.</summary>
/// <param name="Sub">The user's id at the identity provider (subject).</param>
/// <param name="Name">The user's display name.</param>
/// <param name="Email">The user's e-mail address, if the identity provider gives one.</param>
/// <param name="Roles">The user's roles.</param>
/// <param name="SessionExpiresIn">Seconds until the session ends if no further request is sent.</param>
/// <param name="LogoutUrl">Address to which the browser navigates to sign out.</param>
public sealed record SignedInUser(
    string Sub,
    string? Name,
    string? Email,
    IReadOnlyList<string> Roles,
    long SessionExpiresIn,
    string LogoutUrl
);

internal static class GetUser
{
    public static IResult Handle(HttpContext context, Caller caller, SessionSite site, TimeProvider time)
    {
        if (BrowserSession.Of(context) is not { } session)
        {
            return Anonymous(context) ?? BrowserSession.Missing(context);
        }

        var left = (long)Math.Max(0, Math.Floor((session.EndsAt - time.GetUtcNow()).TotalSeconds));
        var user = new SignedInUser(
            caller.Subject,
            caller.Name,
            caller.Email,
            caller.Roles,
            left,
            $"{site.Prefix}/logout?sid={session.Id}"
        );
        return TypedResults.Json(user, SessionAnswersJson.Default.SignedInUser);
    }

    /// <summary>Returns the answer to a browser without a session. Null: 401. A refused credential of another kind stays refused.</summary>
    public static IResult? Anonymous(HttpContext context) =>
        context.RequestServices.GetRequiredService<Reloadable<SessionSettings>>().Current.AnonymousUser == AnonymousUser.Null
        && context.Request.Headers.Authorization.Count == 0
            ? TypedResults.Text("null"u8, "application/json")
            : null;
}
