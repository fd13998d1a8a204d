using System.Text.Json.Serialization;
using Bff.Composition;
using Bff.Paging;
using Bff.Requests;
using MobileBff.Upstreams;

namespace MobileBff.Features.Orders;

/// <summary>A page of the caller's orders, newest first.</summary>
/// <param name="Next">Cursor of the next page; absent at the end.</param>
public sealed record OrderList(
    IReadOnlyList<OrderSummary> Items,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next = null
);

internal static class GetOrders
{
    public static async Task<Composed<OrderList>> Handle(
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
        var pages = await cursors.For("mobile/orders", caller);
        var place = await pages.Open(cursor, context.RequestAborted);

        var page = composer.Required("orders", orders.Latest(caller.Subject, size, place)).At(place);

        var answer = await composer.Compose(
            () => new OrderList([.. page.Value.Items.Select(OrderSummary.Of)], pages.Seal(page.Value.NextCursor)),
            MobileJson.Answers.OrderList
        );
        return answer.WithoutMeta();
    }
}
