using Bff.Idempotency;
using Bff.Requests;
using PartnerBff.Features.Operations;
using PartnerBff.OpenApi;

namespace PartnerBff.Features.V1;

internal static class V1Endpoints
{
    public static void MapV1(this RouteGroupBuilder v1)
    {
        var orders = v1.MapGroup("/orders").WithTags("Orders");
        orders.MapGet("", OrdersV1.List).RequireScope(PartnerScopes.OrdersRead).Named("orders").Documented(Docs.ListOrders(v2: false));
        orders.MapGet("/{id}", OrdersV1.Get).RequireScope(PartnerScopes.OrdersRead).Named("order").Documented(Docs.GetOrder(v2: false));
        orders
            .MapPost("", OrdersV1.Place)
            .RequireScope(PartnerScopes.OrdersWrite)
            .Named("place-order")
            .RequireIdempotencyKey()
            .Produces<OrderV1>(StatusCodes.Status201Created)
            .Documented(Docs.PlaceOrder(v2: false));
        orders
            .MapPost("/{id}/cancel", OrdersV1.Cancel)
            .RequireScope(PartnerScopes.OrdersWrite)
            .Named("cancel-order")
            .AcceptIdempotencyKey()
            .Produces<OrderV1>()
            .Documented(Docs.CancelOrder(v2: false));
        orders
            .MapPost("/batch", OrdersV1.Batch)
            .RequireScope(PartnerScopes.OrdersWrite)
            .Named("batch")
            .ChargedByEndpoint()
            .RequireIdempotencyKey()
            .Produces<BatchAnswer<OrderV1>>(StatusCodes.Status207MultiStatus)
            .Documented(Docs.Batch(v2: false));
        v1.MapShared();
    }
}
