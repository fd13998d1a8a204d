using Microsoft.AspNetCore.Components;

namespace PartnerBff.Portal.Pages;

/// <summary>A page: what it shows and to whom.</summary>
public abstract class PageOf<TModel> : ComponentBase
{
    [Parameter, EditorRequired]
    public PortalViewer Viewer { get; set; } = null!;

    [Parameter, EditorRequired]
    public TModel Model { get; set; } = default!;
}
