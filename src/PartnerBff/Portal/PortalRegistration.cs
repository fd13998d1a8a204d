using Bff.Edge;
using Bff.OpenApi.Pages;
using Bff.Requests;
using Bff.Sessions;
using Bff.Tenants;
using Microsoft.Extensions.Options;
using PartnerBff.Agents;
using PartnerBff.Portal.Activity;
using PartnerBff.Portal.Docs;
using PartnerBff.Portal.Keys;
using PartnerBff.Portal.Overview;
using PartnerBff.Portal.Pages;
using PartnerBff.Portal.Plans;
using PartnerBff.Portal.Requests;
using PartnerBff.Portal.Webhooks;

namespace PartnerBff.Portal;

/// <summary>Registers and maps the portal: pages for partners' users, rendered here, with sign-in through the identity provider.</summary>
internal static class PortalRegistration
{
    /// <summary>
    /// Adds the portal. The session's cookie is valid only for the portal's pages; <c>/v1</c> ignores it. Forms carry a token of their own.
    /// </summary>
    public static WebApplicationBuilder AddPortal(this WebApplicationBuilder builder)
    {
        builder.AddBrowserSessions(site =>
        {
            site.Prefix = "/portal";
            site.CookieName = "portal";
            site.CredentialPaths = ["/portal", "/docs"];
            site.CsrfPaths = ["/portal/sessions"];
            site.CsrfOnWrites = false;
            site.Ending = (services, session) => services.GetRequiredService<DocsKeys>().End(session);
        });
        builder.Services.AddSingleton(new ProblemView(PortalPage.Problem) { Below = "/portal" });
        builder.Services.AddSingleton<FormTokens>();
        builder.Services.AddSingleton<PortalGate>();
        builder.Services.AddSingleton<DocsKeys>();
        builder.Services.AddSingleton<WebhookServices>();
        builder.AddPlanChanges();
        return builder;
    }

    public static void MapPortal(this WebApplication app)
    {
        var problems = new ProblemView(PortalPage.Problem);
        app.MapBrowserSessions().WithMetadata(problems).ExcludeFromDescription(); // Not part of the partners' contract.
        app.MapPortalAssets();

        // Viewing pages must not use up the plan or appear on the bill. The gate decides who may see them, because users are redirected to
        // the sign-in instead of getting a problem.
        var portal = app.MapGroup("/portal")
            .AllowAnonymous()
            .WithMetadata(new SessionUse(IsOptional: true), problems)
            .WithoutLimits()
            .ExcludeFromDescription()
            .AddEndpointFilter<RouteGroupBuilder, PortalGate>();
        portal.MapGet("", GetOverview.Handle);
        portal.MapGet("/keys", ManageKeys.List);
        portal.MapGet("/keys/new", ManageKeys.New);
        portal.MapPost("/keys", ManageKeys.Create);
        portal.MapPost("/keys/{id}/rotate", ManageKeys.Rotate);
        portal.MapPost("/keys/{id}/revoke", ManageKeys.Revoke);
        portal.MapGet("/requests", FindRequests.Handle);
        portal.MapGet("/plan", ComparePlans.Show);
        portal.MapPost("/plan", ComparePlans.Request);
        portal.MapPost("/plan/withdraw", ComparePlans.Withdraw);
        portal.MapGet("/activity", ShowActivity.Handle);
        portal.MapGet("/webhooks", ManageWebhooks.List);
        portal.MapGet("/webhooks/new", ManageWebhooks.New);
        portal.MapPost("/webhooks", ManageWebhooks.Create);
        portal.MapGet("/webhooks/{id}", ManageWebhooks.Show);
        portal.MapPost("/webhooks/{id}/test", ManageWebhooks.Test);
        portal.MapPost("/webhooks/{id}/enabled", ManageWebhooks.Enable);
        portal.MapPost("/webhooks/{id}/rotate-secret", ManageWebhooks.RotateSecret);
        portal.MapPost("/webhooks/{id}/delete", ManageWebhooks.Delete);
        portal.MapPost("/deliveries/{id}/resend", ManageWebhooks.Resend);

        app.MapApiPageFiles();
        app.MapGet("/docs", ShowDocs.Handle)
            .AllowAnonymous()
            .WithMetadata(new SessionUse(IsOptional: true), problems)
            .WithoutLimits()
            .ExcludeFromDescription();
        if (app.Services.GetRequiredService<IOptions<AgentOptions>>().Value.Enabled)
        {
            app.MapGet("/docs/agents", ShowAgents.Handle)
                .AllowAnonymous()
                .WithMetadata(new SessionUse(IsOptional: true), problems)
                .WithoutLimits()
                .ExcludeFromDescription();
        }

        app.MapGet("/", (Delegate)Home).AllowAnonymous().WithoutLimits().ExcludeFromDescription();
    }

    private static Task<IResult> Home(HttpContext context) => PortalPage.Render<Welcome>(context, []);
}
