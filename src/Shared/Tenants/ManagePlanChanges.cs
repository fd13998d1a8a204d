using Bff.Audit;
using Bff.Edge;
using Bff.Paging;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.Tenancy;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Tenants;

/// <summary><c>/internal/plan-changes</c>: lists the pending requests for other plans and takes decisions about them.</summary>
public static class ManagePlanChanges
{
    private const int MaxNote = 500;

    /// <summary>Maps both endpoints. Callers need the scope <c>tenants.manage</c>.</summary>
    public static void MapPlanChanges(this IEndpointRouteBuilder endpoints)
    {
        var changes = endpoints
            .MapGroup("/internal/plan-changes")
            .RequireServiceToken("tenants.manage")
            .WithoutLimits()
            .ExcludeFromDescription();
        changes.MapGet("", List);
        changes.MapPost("/{tenant}", Decide);
    }

    private static async Task<IResult> List(
        HttpContext context,
        Caller caller,
        PlanChanges changes,
        Cursors cursors,
        CancellationToken cancellation
    )
    {
        var limit = Limit.Parse(context).Value;
        var pages = await cursors.For("internal/plan-changes", caller);
        var after = await pages.Open(context);
        var found = await changes.Waiting(after, limit + 1, cancellation);
        var page = found.Take(limit).ToList();
        var next = found.Count > limit ? pages.Seal(page[^1].Tenant) : null;
        return TypedResults.Json(new PlanChangePage(page, next is not null, next), PlanChangeJson.Default.PlanChangePage);
    }

    private static async Task<IResult> Decide(HttpContext context, string tenant, PlanChanges changes, CancellationToken cancellation)
    {
        var body = await JsonBody.Read(context, PlanChangeJson.Default.PlanDecision, cancellation);
        if (!body.TryGet(out var request, out var malformed))
        {
            return malformed;
        }

        if (request.Decision is not ("approve" or "decline"))
        {
            return Problem.Invalid("decision", "Must be approve or decline.");
        }

        if (request.Note is { } note && (!TextLength.IsAtMost(note, MaxNote) || note.Any(char.IsControl)))
        {
            return Problem.Invalid("note", $"Must have at most {MaxNote} characters, none of them a control character.");
        }

        var (decided, refusal) = await changes.Decide(
            tenant,
            request.Decision == "approve",
            request.Note,
            ChangedBy.Of(context),
            cancellation
        );
        return refusal is not null ? refusal : TypedResults.Json(decided!, PlanChangeJson.Default.PlanChange);
    }
}
