using Bff.Audit;
using PartnerBff.Portal.Pages;

namespace PartnerBff.Portal.Activity;

/// <summary>One change in the form shown to the tenant.</summary>
public sealed record ActivityRow(
    DateTimeOffset At,
    string Actor,
    string Action,
    string Target,
    string? Before,
    string? After,
    string? RequestId
);

/// <summary>The tenant's latest changes, newest first.</summary>
public sealed record ActivityList(IReadOnlyList<ActivityRow> Rows, string? Older);

/// <summary>Shows who changed what about the tenant, from the tenant's part of the audit log.</summary>
internal static class ShowActivity
{
    private const int PageSize = 50;
    private const int IdLength = 36;

    // Operators of the gateway decide these; partners do not see their names.
    private static readonly string[] OfOperators = ["tenant.", "plan.approved", "plan.declined"];

    public static async Task<IResult> Handle(HttpContext context, PortalViewer viewer, IAuditLog log)
    {
        var before = context.Request.Query["before"] is [{ Length: IdLength } id] ? id : null;
        var (entries, _) = await log.Read(new(viewer.Tenant), before, PageSize + 1, context.RequestAborted);
        var page = entries.Take(PageSize).ToList();
        return await PortalPage.Of<ActivityPage, ActivityList>(
            context,
            viewer,
            new([.. page.Select(e => Row(e, viewer))], entries.Count > PageSize ? "/portal/activity?before=" + page[^1].Id : null)
        );
    }

    private static ActivityRow Row(AuditEntry entry, PortalViewer viewer) =>
        new(entry.At, Actor(entry, viewer), entry.Action, entry.Target, Facts(entry.Before), Facts(entry.After), entry.RequestId);

    private static string Actor(AuditEntry entry, PortalViewer viewer) =>
        OfOperators.Any(o => entry.Action.StartsWith(o, StringComparison.Ordinal)) ? "Support"
        : entry.Actor == "user:" + viewer.Caller.Subject ? "You"
        : entry.Actor;

    private static string? Facts(System.Text.Json.JsonElement? facts) =>
        facts is { ValueKind: System.Text.Json.JsonValueKind.Object } known
            ? string.Join(", ", known.EnumerateObject().Select(f => $"{f.Name}: {Fact(f.Value)}"))
            : null;

    // As in the API's answers: the text of a boolean element begins with a capital.
    private static string Fact(System.Text.Json.JsonElement value) =>
        value.ValueKind is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False
            ? value.GetRawText()
            : value.ToString();
}
