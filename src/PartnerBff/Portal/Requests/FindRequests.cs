using Bff.Callers.ApiKeys;
using PartnerBff.Portal.Keys;
using PartnerBff.Portal.Pages;
using PartnerBff.Requests;
using PartnerBff.Usage;

namespace PartnerBff.Portal.Requests;

/// <summary>A request and the name of the key that it used.</summary>
public sealed record RequestRow(LoggedRequest Request, string Credential);

/// <summary>The latest requests, or the one that was searched for.</summary>
public sealed record RequestList(bool IsTest, string Sought, IReadOnlyList<RequestRow> Rows, int Kept);

internal static class FindRequests
{
    private const int Shown = 100;
    private const int LongestId = 128;

    public static async Task<IResult> Handle(HttpContext context, PortalViewer viewer, RequestLog log, ApiKeyRegistry keys)
    {
        var isTest = context.Request.Query["mode"] is ["test"];
        var sought = context.Request.Query["id"] is [{ Length: <= LongestId } id] ? id.Trim() : "";
        var all = await log.Read(UsageKey.AccountOf(viewer.Tenant, isTest), context.RequestAborted);
        var names = (await ManageKeys.All(viewer, keys, context.RequestAborted)).ToDictionary(k => k.Id, k => k.Name);
        var found = all.Where(r => sought.Length == 0 || string.Equals(r.Id, sought, StringComparison.OrdinalIgnoreCase)).Take(Shown);
        return await PortalPage.Of<RequestsPage, RequestList>(
            context,
            viewer,
            new(isTest, sought, [.. found.Select(r => new RequestRow(r, Credential(r, names)))], IRequestLogStore.Kept)
        );
    }

    private static string Credential(LoggedRequest request, Dictionary<string, string> names) =>
        request.KeyId switch
        {
            null => "Access token",
            var id when names.TryGetValue(id, out var name) => name,
            var id when id.StartsWith("key_bootstrap_", StringComparison.Ordinal) => "From configuration",
            _ => "Revoked key",
        };
}
