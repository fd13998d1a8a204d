using Bff.Edge;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.Tenancy;
using PartnerBff.Portal.Pages;

namespace PartnerBff.Portal;

/// <summary>The gate's decision: the viewer, or the response that replaces the page.</summary>
internal sealed record Admission(PortalViewer? Viewer, IResult? Refusal);

/// <summary>
/// Guards every page of the portal. 1. Without a session, it redirects to the sign-in, which leads back to the page. 2. It requires the
/// role <c>partner-admin</c> and a known tenant. 3. It requires a token of this session in every form.
/// </summary>
internal sealed class PortalGate(FormTokens forms, ITenants tenants, RateLimiter limiter) : IEndpointFilter
{
    public const string Role = "partner-admin";

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        (await Admit(context.HttpContext)).Refusal ?? await next(context);

    /// <summary>Decides once per request whether to serve the page.</summary>
    public async ValueTask<Admission> Admit(HttpContext context)
    {
        if (context.Features.Get<Admission>() is not { } decided)
        {
            context.Features.Set(decided = await Decide(context));
        }

        return decided;
    }

    private async ValueTask<Admission> Decide(HttpContext context)
    {
        var caller = BffRequest.Of(context).Caller;
        if (caller is not { Kind: CallerKind.Session, SessionId: { } session })
        {
            return await SignIn(context);
        }

        var signOut = "/portal/logout?sid=" + Uri.EscapeDataString(session);
        if (!caller.IsInRole(Role))
        {
            return await Refuse(
                context,
                signOut,
                "You cannot manage this account",
                "Your sign-in does not have the role partner-admin. Ask the person who manages your company’s account for it."
            );
        }

        if (await tenants.Find(caller.Tenant, context.RequestAborted) is not { } tenant)
        {
            return await Refuse(
                context,
                signOut,
                "Your company has no account here",
                "Your sign-in belongs to an organisation that is not a partner yet."
            );
        }

        if (HttpMethods.IsPost(context.Request.Method) && !await IsOwnForm(context, session))
        {
            return await Refuse(
                context,
                null,
                "This form is no longer valid",
                "It was not sent from this session, or you have signed in again since. Go back, reload the page and send it again."
            );
        }

        var token = await forms.Of(session, context.RequestAborted);
        return new(
            new PortalViewer(tenant.Id, caller.Name ?? caller.Email ?? caller.Subject, limiter.PlanOf(caller, tenant).Name, signOut, token)
            {
                Caller = caller,
                SessionId = session,
            },
            null
        );
    }

    private async ValueTask<bool> IsOwnForm(HttpContext context, string session)
    {
        if (!context.Request.HasFormContentType || IsForeign(context))
        {
            return false;
        }

        try
        {
            var form = await context.Request.ReadFormAsync(context.RequestAborted);
            return await forms.IsOf(session, form[FormTokens.Field] is [var token] ? token : null, context.RequestAborted);
        }
        catch (InvalidDataException)
        {
            return false; // The body is not a form, although the header says so.
        }
    }

    // A browser that does not send Sec-Fetch-Site sends the origin, or "null" because these pages send no referrer.
    private static bool IsForeign(HttpContext context)
    {
        var headers = context.Request.Headers;
        return headers["Sec-Fetch-Site"] is { Count: > 0 } site
            ? site is not ["same-origin" or "none"]
            : headers.Origin is { Count: > 0 } origin && origin is not ["null"] && !IsOwn(context, origin.ToString());
    }

    private static bool IsOwn(HttpContext context, string origin) =>
        string.Equals(origin, PublicUrl.Of(context), StringComparison.OrdinalIgnoreCase)
        || (
            Uri.TryCreate(origin, UriKind.Absolute, out var page)
            && string.Equals(page.Authority, context.Request.Host.Value, StringComparison.OrdinalIgnoreCase)
        );

    /// <summary>
    /// Leads to the sign-in. The content of a form that was sent without a session is lost. Some browsers do not follow a redirect of a
    /// form to another origin (<c>form-action</c>), so the user would see nothing happen. Therefore such requests get a page of this host
    /// that leads to the sign-in.
    /// </summary>
    private static async ValueTask<Admission> SignIn(HttpContext context)
    {
        var request = context.Request;
        var isForm = HttpMethods.IsPost(request.Method);
        var back = isForm ? "/portal" : request.Path + request.QueryString.ToUriComponent();
        var signIn = "/portal/login?returnUrl=" + Uri.EscapeDataString(back);
        return new(
            null,
            isForm || request.Headers["Sec-Fetch-Site"] is ["same-origin"]
                ? await PortalPage.SignIn(context, signIn, isLost: isForm)
                : TypedResults.Redirect(signIn)
        );
    }

    private static async ValueTask<Admission> Refuse(HttpContext context, string? signOut, string title, string text) =>
        new(null, await PortalPage.Message(context, StatusCodes.Status403Forbidden, title, text, signOut));
}
