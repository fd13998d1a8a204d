using Bff.Composition;
using Bff.Paging;
using Bff.Requests;
using WebBff.Upstreams;

namespace WebBff.Features.Orders;

/// <summary>A page of the caller's orders, newest first.</summary>
public sealed record OrderPage(IReadOnlyList<OrderView> Items, string? NextCursor, bool HasMore);

internal static class GetOrders
{
    public static async Task<Composed<OrderPage>> Handle(
        string? limit,
        string? cursor,
        Caller caller,
        Composer composer,
        Cursors cursors,
        IOrders orders,
        HttpContext context
    )
    {
        var size = PageLimit.Of(limit);
        var pages = await cursors.For("web/orders", caller);
        var place = await pages.Open(cursor, context.RequestAborted);

        var page = composer.Required("orders", orders.Latest(caller.Subject, size, place)).At(place);

        string? next = null;
        var answer = await composer.Compose(
            () => new OrderPage([.. page.Value.Items.Select(OrderView.Of)], next = pages.Seal(page.Value.NextCursor), next is not null),
            WebJson.Answers.OrderPage
        );
        return answer.WithoutMeta().WithLink(NextLink.Of(context, next));
    }
}
