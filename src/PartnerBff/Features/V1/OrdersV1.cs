using Bff.Composition;
using Bff.Idempotency;
using Bff.RateLimiting;
using PartnerBff.Features.Operations;
using PartnerBff.Upstreams;

namespace PartnerBff.Features.V1;

/// <summary>Orders in the form of v1.</summary>
internal static class OrdersV1
{
    private static PartnerJson Json => PartnerJson.Answers;

    public static Task<Composed<Page<OrderV1>>> List(HttpContext context, Composer composer, IOrders orders) =>
        OrderReads.List(context, composer, orders, OrderV1.Of, Json.PageOrderV1);

    public static Task<Composed<OrderV1>> Get(string id, Composer composer, IOrders orders) =>
        OrderReads.Get(id, composer, orders, OrderV1.Of, Json.OrderV1);

    public static Task<IResult> Place(HttpContext context, Composer composer, IOrders orders) =>
        OrderWrites.Place(context, composer, orders, OrderV1.Of, Json.OrderV1);

    public static Task<IResult> Cancel(HttpContext context, string id, Composer composer, IOrders orders) =>
        OrderWrites.Cancel(context, id, composer, orders, OrderV1.Of, Json.OrderV1);

    public static Task<IResult> Batch(HttpContext context, IOrders orders, Idempotent idempotent, RateLimiter limiter, TimeProvider time) =>
        BatchOrders.Place(context, orders, idempotent, limiter, time, OrderV1.Of, Json.BatchAnswerOrderV1);
}
