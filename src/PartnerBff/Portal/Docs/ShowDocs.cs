using PartnerBff.Portal.Pages;

namespace PartnerBff.Portal.Docs;

/// <summary>Shows the API's documentation for trying it out. Public; for partners a key of their own is filled in.</summary>
internal static class ShowDocs
{
    public static async Task<IResult> Handle(HttpContext context, PortalGate gate, DocsKeys keys)
    {
        var viewer = (await gate.Admit(context)).Viewer;
        var key = viewer is null ? null : await keys.Of(context, viewer);
        return await PortalPage.Render<DocsPage>(
            context,
            new()
            {
                [nameof(DocsPage.Viewer)] = viewer,
                [nameof(DocsPage.Key)] = key,
                [nameof(DocsPage.Version)] = context.Request.Query["version"] is ["v2"] ? "v2" : "v1",
            }
        );
    }
}
