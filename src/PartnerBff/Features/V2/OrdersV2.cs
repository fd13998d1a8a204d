using Bff.Composition;
using Bff.Idempotency;
using Bff.RateLimiting;
using PartnerBff.Features.Operations;
using PartnerBff.Upstreams;

namespace PartnerBff.Features.V2;

/// <summary>Orders in the form of v2.</summary>
internal static class OrdersV2
{
    private static PartnerJson Json => PartnerJson.Answers;

    public static Task<Composed<Page<OrderV2>>> List(HttpContext context, Composer composer, IOrders orders) =>
        OrderReads.List(context, composer, orders, OrderV2.Of, Json.PageOrderV2);

    public static Task<Composed<OrderV2>> Get(string id, Composer composer, IOrders orders) =>
        OrderReads.Get(id, composer, orders, OrderV2.Of, Json.OrderV2);

    public static Task<IResult> Place(HttpContext context, Composer composer, IOrders orders) =>
        OrderWrites.Place(context, composer, orders, OrderV2.Of, Json.OrderV2);

    public static Task<IResult> Cancel(HttpContext context, string id, Composer composer, IOrders orders) =>
        OrderWrites.Cancel(context, id, composer, orders, OrderV2.Of, Json.OrderV2);

    public static Task<IResult> Batch(HttpContext context, IOrders orders, Idempotent idempotent, RateLimiter limiter, TimeProvider time) =>
        BatchOrders.Place(context, orders, idempotent, limiter, time, OrderV2.Of, Json.BatchAnswerOrderV2);
}
