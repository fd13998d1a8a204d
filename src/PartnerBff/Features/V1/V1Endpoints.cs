using Bff.Callers;
using Bff.Idempotency;
using Bff.RateLimiting;

namespace PartnerBff.Features.V1;

internal static class V1Endpoints
{
    public static void MapV1(this RouteGroupBuilder v1)
    {
        var orders = v1.MapGroup("/orders").WithTags("Orders");
        orders.MapGet("", OrdersV1.List).RequireScope(PartnerScopes.OrdersRead).Named("orders");
        orders.MapGet("/{id}", OrdersV1.Get).RequireScope(PartnerScopes.OrdersRead).Named("order");
        orders.MapPost("", OrdersV1.Place).RequireScope(PartnerScopes.OrdersWrite).Named("place-order").RequireIdempotencyKey();
        orders.MapPost("/{id}/cancel", OrdersV1.Cancel).RequireScope(PartnerScopes.OrdersWrite).Named("cancel-order").AcceptIdempotencyKey();
        orders.MapPost("/batch", OrdersV1.Batch).RequireScope(PartnerScopes.OrdersWrite).Named("batch").ChargedByEndpoint().RequireIdempotencyKey();
        v1.MapShared();
    }
}
