using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Bff.Edge;
using Bff.Paging;
using Bff.Requests;

namespace PartnerBff.Features.Webhooks;

/// <summary>A page of a list that this host stores itself; its cursor seals the number of entries shown so far.</summary>
internal sealed record ListPage(int Limit, int Skip, CursorScope Cursors)
{
    /// <exception cref="ProblemException">400: the limit or the cursor is invalid.</exception>
    public static async Task<ListPage> Of(HttpContext context, Cursors cursors, string name, params string?[] filter)
    {
        var limit = PageLimit.Of(
            context.Request.Query["limit"] is [{ } text] ? text
            : context.Request.Query["limit"].Count == 0 ? null
            : ""
        );
        var scope = await cursors.For("partner/" + name, BffRequest.Of(context).Caller, filter);
        var cursor = await scope.Open(context);
        return new(limit, cursor is null ? 0 : int.Parse(cursor, CultureInfo.InvariantCulture), scope);
    }

    /// <param name="context">The request.</param>
    /// <param name="found">The entries, with one more than the limit if there are more.</param>
    /// <param name="type">Metadata of the page.</param>
    public IResult Answer<T>(HttpContext context, IEnumerable<T> found, JsonTypeInfo<Page<T>> type)
    {
        var items = found.ToList();
        var hasMore = items.Count > Limit;
        var next = hasMore ? Cursors.Seal((Skip + Limit).ToString(CultureInfo.InvariantCulture)) : null;
        if (NextLink.Of(context, next) is { } link)
        {
            context.Response.Headers.Append("Link", link);
        }

        return TypedResults.Json(new Page<T>(hasMore ? items[..Limit] : items, hasMore, next), type);
    }
}
