using System.Text.Json.Serialization.Metadata;
using Bff.Composition;
using Bff.Edge;
using Bff.Paging;
using Bff.Requests;
using Bff.Upstreams;

namespace PartnerBff.Features.Operations;

/// <summary>Returns a page of a service's list, with the service's cursor sealed to this list and tenant.</summary>
internal static class Lists
{
    /// <param name="context">The request, with <c>limit</c> and <c>cursor</c>.</param>
    /// <param name="name">Name of the part, the list and its cursors.</param>
    /// <param name="composer">The request's composer.</param>
    /// <param name="list">Builds the call for a page.</param>
    /// <param name="items">Converts the entries.</param>
    /// <param name="next">Returns the service's cursor.</param>
    /// <param name="type">Metadata of the page.</param>
    public static async Task<Composed<Page<T>>> Page<TPage, T>(
        HttpContext context,
        string name,
        Composer composer,
        Func<int, string?, UpstreamCall<TPage>> list,
        Func<TPage, IEnumerable<T>> items,
        Func<TPage, string?> next,
        JsonTypeInfo<Page<T>> type
    )
        where TPage : class
    {
        var limit = Limit.Parse(context).Value;
        var cursors = await context.RequestServices.GetRequiredService<Cursors>().For("partner/" + name, BffRequest.Of(context).Caller);
        var cursor = await cursors.Open(context);
        var page = composer.Required(name, list(limit, cursor)).At(cursor);
        string? following = null;
        var answer = await composer.Compose(
            () =>
            {
                following = cursors.Seal(next(page.Value));
                return new Page<T>([.. items(page.Value)], following is not null, following);
            },
            type
        );
        return answer.WithoutMeta().WithLink(NextLink.Of(context, following));
    }
}
