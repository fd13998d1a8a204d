using Microsoft.AspNetCore.Components;

namespace PartnerBff.Portal.Pages;

/// <summary>A page with its model and its viewer.</summary>
public abstract class PageOf<TModel> : ComponentBase
{
    [Parameter, EditorRequired]
    public PortalViewer Viewer { get; set; } = null!;

    [Parameter, EditorRequired]
    public TModel Model { get; set; } = default!;
}
