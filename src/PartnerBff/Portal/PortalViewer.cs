using Bff.Requests;

namespace PartnerBff.Portal;

/// <summary>The viewer of a page: the data that every page's frame shows, and the token for this session's forms.</summary>
/// <param name="Tenant">The tenant whose keys, webhooks and figures the pages show.</param>
/// <param name="Name">The person's name.</param>
/// <param name="Plan">The tenant's plan.</param>
/// <param name="SignOutUrl">Address at which to sign out.</param>
/// <param name="FormToken">Token from <see cref="FormTokens"/>.</param>
public sealed record PortalViewer(string Tenant, string Name, string Plan, string SignOutUrl, string FormToken)
{
    internal static readonly PortalViewer Anonymous = new("", "", "", "", "");

    internal Caller Caller { get; init; } = Caller.Anonymous;

    internal string SessionId { get; init; } = "";

    /// <summary>
    /// Lets an endpoint take the viewer as a parameter. A visitor whom the gate refuses is anonymous, and the endpoint does not run.
    /// </summary>
    public static async ValueTask<PortalViewer?> BindAsync(HttpContext context) =>
        (await context.RequestServices.GetRequiredService<PortalGate>().Admit(context)).Viewer ?? Anonymous;
}
