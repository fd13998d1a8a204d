using Bff.Callers;
using Bff.Composition;
using PartnerBff.Features.Operations;
using PartnerBff.Upstreams;

namespace PartnerBff.Features.V1;

internal static class V1Endpoints
{
    public static void MapV1(this WebApplication app)
    {
        var orders = app.MapGroup("/v1/orders").WithTags("Orders");
        orders.MapGet("", ListOrders).RequireScope(PartnerScopes.OrdersRead).Named("orders");
        orders.MapGet("/{id}", GetOrder).RequireScope(PartnerScopes.OrdersRead).Named("order");
        orders.MapPost("", PlaceOrder).RequireScope(PartnerScopes.OrdersWrite).Named("place-order");
    }

    private static Task<Composed<Page<OrderV1>>> ListOrders(HttpContext context, Composer composer, OrdersClient orders) =>
        OrderReads.List(context, composer, orders, OrderV1.Of, PartnerJson.Answers.PageOrderV1);

    private static Task<Composed<OrderV1>> GetOrder(string id, Composer composer, OrdersClient orders) =>
        OrderReads.Get(id, composer, orders, OrderV1.Of, PartnerJson.Answers.OrderV1);

    private static Task<IResult> PlaceOrder(HttpContext context, Composer composer, OrdersClient orders) =>
        OrderWrites.Place(context, composer, orders, OrderV1.Of, PartnerJson.Answers.OrderV1);
}
