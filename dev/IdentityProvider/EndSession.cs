namespace Bff.Dev.IdentityProvider;

/// <summary>
/// Serves OpenID Connect RP-Initiated Logout 1.0. Signs out at once if the client and the hint match the browser's session, otherwise asks;
/// then notifies every client of the session over the back channel.
/// </summary>
internal static class EndSession
{
    public static void Map(IEndpointRouteBuilder routes, DevelopmentIdentityProvider provider)
    {
        routes.MapGet(
            "/end-session",
            provider.Endpoint(
                IdentityEndpoint.EndSession,
                context => Handle(context, provider, Parameters.FromQuery(context), confirmed: false)
            )
        );
        routes.MapPost(
            "/end-session",
            provider.Endpoint(
                IdentityEndpoint.EndSession,
                async context =>
                    await Handle(context, provider, await Parameters.FromForm(context) ?? Parameters.FromQuery(context), confirmed: false)
            )
        );
        routes.MapPost(
            "/sign-out",
            context => Handle(context, provider, Parameters.FromQuery(context), confirmed: !CrossSite.IsForeign(context))
        );
    }

    private static async Task Handle(HttpContext context, DevelopmentIdentityProvider provider, Parameters asked, bool confirmed)
    {
        var hint = asked["id_token_hint"] is { } token ? provider.Tokens.ReadIdToken(token) : null;
        var clientId = asked["client_id"] ?? hint?["aud"]?.ToString();
        var client = clientId is null ? null : provider.Options.Clients.GetValueOrDefault(clientId);
        var target = asked["post_logout_redirect_uri"];
        if (target is not null && (client is null || !RedirectUris.Allow(client.PostLogoutRedirectUris, target)))
        {
            var page = MessagePage.Render(
                "This sign-out request is not valid",
                "This post_logout_redirect_uri is not registered for the client."
            );
            await Answer.Html(context, page, StatusCodes.Status400BadRequest);
            return;
        }

        if (provider.Sessions.Of(context) is { } session)
        {
            if (!confirmed && !(client is not null && Names(session, asked["logout_hint"] ?? hint?["sid"]?.ToString())))
            {
                await Answer.Html(context, SignOutPage.Render(session.User, asked.ToQueryString(), target));
                return;
            }

            // Continues if the browser disconnects; the back channel has a time limit of its own.
            await provider.EndAsync(session, CancellationToken.None);
        }

        SsoSessions.Forget(context);
        if (target is null)
            await Answer.Html(context, MessagePage.Render("Signed out", "You may close this page."));
        else
            Answer.SeeOther(context, asked["state"] is { } state ? target + QueryString.Create("state", state) : target);
    }

    private static bool Names(SsoSession session, string? hint) => hint is null || session.Sid == hint || session.User.Answers(hint);
}
