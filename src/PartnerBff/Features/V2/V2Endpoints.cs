using Bff.Callers;
using Bff.Idempotency;
using Bff.RateLimiting;

namespace PartnerBff.Features.V2;

internal static class V2Endpoints
{
    public static void MapV2(this RouteGroupBuilder v2)
    {
        var orders = v2.MapGroup("/orders").WithTags("Orders");
        orders.MapGet("", OrdersV2.List).RequireScope(PartnerScopes.OrdersRead).Named("orders");
        orders.MapGet("/{id}", OrdersV2.Get).RequireScope(PartnerScopes.OrdersRead).Named("order");
        orders.MapPost("", OrdersV2.Place).RequireScope(PartnerScopes.OrdersWrite).Named("place-order").RequireIdempotencyKey();
        orders.MapPost("/{id}/cancel", OrdersV2.Cancel).RequireScope(PartnerScopes.OrdersWrite).Named("cancel-order").AcceptIdempotencyKey();
        orders.MapPost("/batch", OrdersV2.Batch).RequireScope(PartnerScopes.OrdersWrite).Named("batch").ChargedByEndpoint().RequireIdempotencyKey();
        v2.MapShared();
    }
}
