using Bff.Idempotency;
using Bff.Routes;
using MobileBff.Features.Sync;
using MobileBff.Upstreams;

namespace MobileBff.Features.Orders;

/// <summary>An order as the orders service accepts it.</summary>
public sealed record NewOrder(IReadOnlyList<NewOrderItem> Items, string? Currency = null, string? Reference = null);

public sealed record NewOrderItem(string ProductId, int Quantity);

/// <summary>The order in the service's answer; the service may add members at any time.</summary>
public sealed record PlacedOrder(string Id, string Status, decimal TotalAmount, string Currency, DateTimeOffset PlacedAt);

/// <summary>Places an order. The request is passed through: sent once, or again under the caller's idempotency key.</summary>
internal static class PlaceOrder
{
    /// <summary>Places an order that the user made while the app was offline.</summary>
    public static async Task<StoredAnswer> Run(OperationCall operation) =>
        operation.Answer(
            await operation.Make(operation.Service<IOrders>().Place(operation.Body, operation.Id)),
            StatusCodes.Status201Created,
            placed => new PlacedOrder(placed.Id, placed.Status, placed.TotalAmount, placed.Currency, placed.PlacedAt),
            MobileJson.Answers.PlacedOrder
        );

    public static Task Handle(HttpContext context, PassThrough through, IOrders orders) => through.Send(context, orders.Place());
}
