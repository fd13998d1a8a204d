using Bff.Routes;
using WebBff.Upstreams;

namespace WebBff.Features.Orders;

/// <summary>An order as the orders service accepts it.</summary>
public sealed record NewOrder(IReadOnlyList<NewOrderLine> Items, string? Currency = null, string? Reference = null);

public sealed record NewOrderLine(string ProductId, int Quantity);

/// <summary>Places an order; the request is passed through, once.</summary>
internal static class PlaceOrder
{
    public static Task Handle(HttpContext context, PassThrough through, IOrders orders) => through.Send(context, orders.Place());
}
