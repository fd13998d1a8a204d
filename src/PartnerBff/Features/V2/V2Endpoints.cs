using Bff.Idempotency;
using Bff.Requests;
using PartnerBff.Features.Operations;
using PartnerBff.OpenApi;

namespace PartnerBff.Features.V2;

internal static class V2Endpoints
{
    public static void MapV2(this RouteGroupBuilder v2)
    {
        var orders = v2.MapGroup("/orders").WithTags("Orders");
        orders.MapGet("", OrdersV2.List).RequireScope(PartnerScopes.OrdersRead).Named("orders").Documented(Docs.ListOrders(v2: true));
        orders.MapGet("/{id}", OrdersV2.Get).RequireScope(PartnerScopes.OrdersRead).Named("order").Documented(Docs.GetOrder(v2: true));
        orders
            .MapPost("", OrdersV2.Place)
            .RequireScope(PartnerScopes.OrdersWrite)
            .Named("place-order")
            .RequireIdempotencyKey()
            .Produces<OrderV2>(StatusCodes.Status201Created)
            .Documented(Docs.PlaceOrder(v2: true));
        orders
            .MapPost("/{id}/cancel", OrdersV2.Cancel)
            .RequireScope(PartnerScopes.OrdersWrite)
            .Named("cancel-order")
            .AcceptIdempotencyKey()
            .Produces<OrderV2>()
            .Documented(Docs.CancelOrder(v2: true));
        orders
            .MapPost("/batch", OrdersV2.Batch)
            .RequireScope(PartnerScopes.OrdersWrite)
            .Named("batch")
            .ChargedByEndpoint()
            .RequireIdempotencyKey()
            .Produces<BatchAnswer<OrderV2>>(StatusCodes.Status207MultiStatus)
            .Documented(Docs.Batch(v2: true));
        v2.MapShared();
    }
}
