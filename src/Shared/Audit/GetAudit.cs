using Bff.Edge;
using Bff.Paging;
using Bff.Requests;
using Bff.Tenancy;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Audit;

/// <summary>
/// <c>GET /internal/audit?tenant=&amp;actor=&amp;action=&amp;since=&amp;cursor=</c> lists changes and who made them, newest first.
/// </summary>
internal static class GetAudit
{
    private const int MaxLength = 256;

    public static void MapAudit(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/internal/audit", Get).RequireServiceToken("audit.read").WithoutLimits().ExcludeFromDescription();

    private static async Task<IResult> Get(
        HttpContext context,
        Caller caller,
        IAuditLog log,
        Cursors cursors,
        CancellationToken cancellation
    )
    {
        var limit = Limit.Parse(context).Value;
        var query = new AuditQuery(Text(context, "tenant"), Text(context, "actor"), Text(context, "action"), Since(context));
        var pages = await cursors.For("internal/audit", caller, query.Tenant, query.Actor, query.Action, query.FirstId);
        var before = await pages.Open(Text(context, "cursor", 4096), cancellation);
        var (entries, next) = await log.Read(query, before, limit + 1, cancellation);
        var page = entries.Take(limit).ToList();
        var cursor = pages.Seal(entries.Count > limit ? page[^1].Id : next);
        return TypedResults.Json(new AuditPage(page, cursor is not null, cursor), AuditJson.Default.AuditPage);
    }

    private static string? Text(HttpContext context, string name, int longest = MaxLength) =>
        context.Request.Query[name] switch
        {
            [] => null,
            [{ Length: > 0 } text] when text.Length <= longest => text,
            _ => throw new ProblemException(Problem.Invalid(name, $"Must be given once, with 1 to {longest} characters.")),
        };

    private static DateTimeOffset? Since(HttpContext context) =>
        Text(context, "since") switch
        {
            null => null,
            var text when Rfc3339.TryParseOrDay(text, out var moment) => moment,
            _ => throw new ProblemException(
                Problem.Invalid("since", "Must be a day, or a date and time with an offset such as 2026-01-01T00:00:00Z (RFC 3339).")
            ),
        };
}
