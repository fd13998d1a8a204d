using Bff.Routes;
using WebBff.Upstreams;

namespace WebBff.Features.Orders;

/// <summary>Cancels an order. Passed through, once: the service knows whose order it is and whether it can still be cancelled.</summary>
internal static class CancelOrder
{
    public static Task Handle(string id, HttpContext context, PassThrough through, IOrders orders) =>
        through.Send(context, orders.Cancel(id));
}
