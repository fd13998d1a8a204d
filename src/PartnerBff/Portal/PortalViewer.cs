using Bff.Requests;

namespace PartnerBff.Portal;

/// <summary>Who looks at a page: what the frame around every page shows, and the token that this session's forms carry.</summary>
/// <param name="Tenant">Whose keys, webhooks and figures the pages show.</param>
/// <param name="Name">Of the person.</param>
/// <param name="Plan">Of the tenant.</param>
/// <param name="SignOutUrl">Navigate there to sign out.</param>
/// <param name="FormToken">What <see cref="FormTokens"/> made.</param>
public sealed record PortalViewer(string Tenant, string Name, string Plan, string SignOutUrl, string FormToken)
{
    internal static readonly PortalViewer Anonymous = new("", "", "", "", "");

    internal Caller Caller { get; init; } = Caller.Anonymous;

    internal string SessionId { get; init; } = "";

    /// <summary>Lets endpoints ask for the viewer as a parameter; a visitor whom the gate refuses is anonymous, and the endpoint does not run.</summary>
    public static async ValueTask<PortalViewer?> BindAsync(HttpContext context) =>
        (await context.RequestServices.GetRequiredService<PortalGate>().Admit(context)).Viewer ?? Anonymous;
}
