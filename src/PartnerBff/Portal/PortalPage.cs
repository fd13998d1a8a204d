using System.Text;
using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using PartnerBff.Portal.Pages;

namespace PartnerBff.Portal;

/// <summary>Renders components as static pages of this host.</summary>
internal static class PortalPage
{
    /// <summary>Renders a page of the portal.</summary>
    public static Task<IResult> Of<TPage, TModel>(
        HttpContext context,
        PortalViewer viewer,
        TModel model,
        int status = StatusCodes.Status200OK
    )
        where TPage : PageOf<TModel> =>
        Render<TPage>(context, new() { [nameof(PageOf<>.Viewer)] = viewer, [nameof(PageOf<>.Model)] = model }, status);

    /// <summary>Renders a page with one message.</summary>
    public static Task<IResult> Message(HttpContext context, int status, string title, string text, string? signOut = null) =>
        Render<Message>(
            context,
            new()
            {
                [nameof(Pages.Message.Title)] = title,
                [nameof(Pages.Message.Text)] = text,
                [nameof(Pages.Message.SignOut)] = signOut,
            },
            status
        );

    /// <summary>Renders the page that says that the session has ended and leads to the sign-in.</summary>
    /// <param name="context">Context of the request.</param>
    /// <param name="address">Address of the sign-in.</param>
    /// <param name="isLost">Whether the request was a form, whose content is lost. If not, the page continues to the sign-in by
    /// itself.</param>
    public static Task<IResult> SignIn(HttpContext context, string address, bool isLost) =>
        Render<Message>(
            context,
            new()
            {
                [nameof(Pages.Message.Title)] = "Your session has ended",
                [nameof(Pages.Message.Text)] = isLost
                    ? "Nothing has been changed. Sign in and fill in the form again."
                    : "Sign in to go on.",
                [nameof(Pages.Message.SignIn)] = address,
                [nameof(Pages.Message.IsFollowed)] = !isLost,
            },
            isLost ? StatusCodes.Status403Forbidden : StatusCodes.Status200OK
        );

    /// <summary>Renders a page for a problem, in place of a problem document.</summary>
    public static Task<IResult> Problem(HttpContext context, Problem problem) =>
        problem.Code == ProblemCodes.NotFound && problem.Detail is null ? NotFound(context)
        : problem.Code == ProblemCodes.StoreUnavailable
            ? Message(
                context,
                problem.Code.Status,
                "We cannot read your account right now",
                "Your keys and requests are safe. Try again in a moment."
            )
        : Message(context, problem.Code.Status, problem.Code.Title, problem.Detail ?? problem.Code.Explanation);

    /// <summary>Renders the page for something that does not exist or belongs to another tenant.</summary>
    public static Task<IResult> NotFound(HttpContext context) =>
        Message(context, StatusCodes.Status404NotFound, "Nothing is here", "It may have been deleted, or the address is mistyped.");

    public static async Task<IResult> Render<TPage>(
        HttpContext context,
        Dictionary<string, object?> parameters,
        int status = StatusCodes.Status200OK
    )
        where TPage : IComponent
    {
        var services = context.RequestServices;
        await using var renderer = new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>());
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync<TPage>(ParameterView.FromDictionary(parameters))).ToHtmlString()
        );
        return new HtmlPage(Encoding.UTF8.GetBytes(html)) { StatusCode = status };
    }
}
