using Bff.Audit;
using Bff.Configuration;
using Bff.Edge;
using Bff.Paging;
using Bff.RateLimiting;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Bff.Tenants;

/// <summary>
/// <c>/internal/tenants</c>: manages the members of <c>Tenants:&lt;id&gt;</c>. They are checked by the same rules as the configuration and
/// take effect on every instance within a second. A request that changes or deletes a tenant names the version that it means (RFC 9110
/// section 13.1, RFC 6585 section 3).
/// </summary>
internal static class ManageTenants
{
    private const int MaxId = 128;

    public static void MapTenants(this IEndpointRouteBuilder endpoints)
    {
        var tenants = endpoints
            .MapGroup("/internal/tenants")
            .RequireServiceToken("tenants.manage")
            .WithoutLimits()
            .ExcludeFromDescription();
        tenants.MapGet("", List);
        tenants.MapGet("/{id}", Get);
        tenants.MapPut("/{id}", Put);
        tenants.MapDelete("/{id}", Delete);
    }

    private static async Task<IResult> List(
        HttpContext context,
        Caller caller,
        ITenantStore store,
        Reloadable<LimitSettings> settings,
        Cursors cursors,
        CancellationToken cancellation
    )
    {
        var limit = Limit.Parse(context).Value;
        var pages = await cursors.For("internal/tenants", caller);
        var after = await pages.Open(context);
        var stored = await store.List(after, limit + 1, cancellation);
        var configured = settings
            .Current.Tenants.Values.Where(t => after is null || string.CompareOrdinal(t.Id, after) > 0)
            .OrderBy(t => t.Id, StringComparer.Ordinal)
            .Take(limit + 1)
            .Select(t => Item(t.Id, "configuration", TenantDocument.Of(t).Write()));
        var all = stored
            .Select(t => Item(t.Key, "store", t.Value))
            .Concat(configured)
            .DistinctBy(t => t.Id)
            .OrderBy(t => t.Id, StringComparer.Ordinal)
            .Take(limit + 1)
            .ToList();
        var page = all.Take(limit).ToList();
        var next = all.Count > limit ? pages.Seal(page[^1].Id) : null;
        return TypedResults.Json(new TenantPage(page, next is not null, next), TenantJson.Default.TenantPage);
    }

    private static async Task<IResult> Get(HttpContext context, string id, TenantChanges tenants, CancellationToken cancellation)
    {
        if (!IsId(id) || await tenants.Find(id, cancellation) is not { } found)
        {
            return new Problem(ProblemCodes.NotFound);
        }

        context.Response.Headers.ETag = found.ETag;
        return TypedResults.Bytes(found.Json, "application/json");
    }

    private static async Task<IResult> Put(HttpContext context, string id, TenantChanges tenants, CancellationToken cancellation)
    {
        if (!IsId(id))
        {
            return Problem.Invalid("id", $"Must be 1 to {MaxId} characters: letters, digits and . _ ~ @ | -");
        }

        var body = await JsonBody.Read(context, TenantJson.Default.TenantDocument, cancellation);
        if (!body.TryGet(out var document, out var malformed))
        {
            return malformed;
        }

        if (tenants.Check(id, document) is { } mistaken)
        {
            return mistaken;
        }

        var before = await tenants.Find(id, cancellation);
        var objection =
            Objection(context.Request, before?.ETag, isNeeded: before?.Stored is not null)
            ?? await tenants.Put(id, before, document, ChangedBy.Of(context), cancellation);
        if (objection is not null)
        {
            return objection;
        }

        var written = document.Write();
        context.Response.Headers.ETag = TenantDocument.ETagOf(written);
        return TypedResults.Text(written, "application/json", before is null ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private static async Task<IResult> Delete(HttpContext context, string id, TenantChanges tenants, CancellationToken cancellation)
    {
        if (!IsId(id) || await tenants.Find(id, cancellation) is not { } found)
        {
            return new Problem(ProblemCodes.NotFound);
        }

        if (found.Stored is not { } stored)
        {
            return new Problem(ProblemCodes.Conflict) { Detail = "The tenant is defined in the configuration. Remove it there." };
        }

        var objection =
            Objection(context.Request, found.ETag, isNeeded: true) ?? await tenants.Delete(id, stored, ChangedBy.Of(context), cancellation);
        return objection is null ? TypedResults.NoContent() : objection;
    }

    /// <summary>Returns 412 if the request names another version, 428 if it must name one and does not, otherwise null.</summary>
    private static Problem? Objection(HttpRequest request, string? current, bool isNeeded)
    {
        var (match, noneMatch) = (request.Headers.IfMatch, request.Headers.IfNoneMatch);
        if (
            (match.Count > 0 && !(current is not null && Names(match, current)))
            || (noneMatch.Count > 0 && current is not null && Names(noneMatch, current))
        )
        {
            return new Problem(ProblemCodes.PreconditionFailed);
        }

        // If-None-Match with another version does not say which version the request means.
        return isNeeded && match.Count == 0 ? new Problem(ProblemCodes.PreconditionRequired) : null;
    }

    /// <summary>
    /// Whether the header names the current version. A weak tag matches too: compression made it weak, and it stands for the same document.
    /// </summary>
    private static bool Names(Microsoft.Extensions.Primitives.StringValues header, string current) =>
        EntityTagHeaderValue.TryParseStrictList(header, out var tags)
        && tags.Any(t => t.Equals(EntityTagHeaderValue.Any) || t.Tag == current);

    private static bool IsId(string id) =>
        id.Length is > 0 and <= MaxId && id.All(static c => char.IsAsciiLetterOrDigit(c) || "._~@|-".Contains(c, StringComparison.Ordinal));

    private static TenantItem Item(string id, string source, byte[] json) =>
        new(id, source, TenantDocument.ETagOf(json), TenantDocument.ReadOrNull(json) ?? new());
}
