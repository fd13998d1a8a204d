using PartnerBff.Portal.Pages;

namespace PartnerBff.Portal.Docs;

/// <summary>The API's documentation, to be tried out; it is public, and partners find a key of their own filled in.</summary>
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
