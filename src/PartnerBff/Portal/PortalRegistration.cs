using Bff.RateLimiting;
using Bff.Sessions;
using PartnerBff.Portal.Keys;
using PartnerBff.Portal.Overview;

namespace PartnerBff.Portal;

/// <summary>The partners' pages for people: rendered here, signed in through the identity provider.</summary>
internal static class PortalRegistration
{
    /// <summary>The session's cookie counts on the portal's pages and nowhere else: on <c>/v1</c> it is nothing. Forms bring a token of their own.</summary>
    public static WebApplicationBuilder AddPortal(this WebApplicationBuilder builder)
    {
        builder.AddBrowserSessions(site =>
        {
            site.Prefix = "/portal";
            site.CookieName = "portal";
            site.CredentialPaths = ["/portal", "/docs"];
            site.CsrfPaths = ["/portal/sessions"];
            site.CsrfOnWrites = false;
        });
        builder.Services.AddSingleton<FormTokens>();
        builder.Services.AddSingleton<PortalGate>();
        return builder;
    }

    public static void MapPortal(this WebApplication app)
    {
        app.MapBrowserSessions();
        app.MapPortalAssets();

        // People looking at pages use nothing of the plan, and must not become part of the bill. The gate decides who may see them, because
        // people are sent to the sign-in, not answered with a problem.
        var portal = app.MapGroup("/portal").AllowAnonymous().WithMetadata(new SessionUse(IsOptional: true)).WithoutLimits().ExcludeFromDescription()
            .AddEndpointFilter<RouteGroupBuilder, PortalGate>();
        portal.MapGet("", GetOverview.Handle);
        portal.MapGet("/keys", ManageKeys.List);
        portal.MapGet("/keys/new", ManageKeys.New);
        portal.MapPost("/keys", ManageKeys.Create);
        portal.MapPost("/keys/{id}/rotate", ManageKeys.Rotate);
        portal.MapPost("/keys/{id}/revoke", ManageKeys.Revoke);
    }
}
