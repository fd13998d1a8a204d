using System.Text.Json.Serialization.Metadata;
using Bff.Composition;
using Bff.Edge;
using Bff.Idempotency;
using PartnerBff.Upstreams;

namespace PartnerBff.Features.Operations;

/// <summary>Places and cancels orders. A write is sent to the service once, or again under the partner's idempotency key.</summary>
internal static class OrderWrites
{
    public static async Task<IResult> Place<T>(
        HttpContext context,
        Composer composer,
        IOrders orders,
        Func<Order, T> shape,
        JsonTypeInfo<T> type
    )
    {
        var body = await JsonBody.Read(context, PartnerJson.Default.OrderRequest, context.RequestAborted);
        if (!body.TryGet(out var request, out var problem))
        {
            return problem;
        }

        if (request.Objection() is { } objection)
        {
            return objection;
        }

        var key = KeyedRequest.Of(context)!.Key;
        var order = composer.Write("order", orders.Place(request.ToUpstream(), key));
        var answer = await composer.Compose(() => shape(order.Value), type);
        return answer.WithoutMeta().Created(_ => PublicUrl.Of(context) + context.Request.Path + "/" + Uri.EscapeDataString(order.Value.Id));
    }

    public static async Task<IResult> Cancel<T>(
        HttpContext context,
        string id,
        Composer composer,
        IOrders orders,
        Func<Order, T> shape,
        JsonTypeInfo<T> type
    )
    {
        var key = KeyedRequest.Of(context)?.Key;
        var order = composer.Write("order", orders.Cancel(id, key));
        return (await composer.Compose(() => shape(order.Value), type)).WithoutMeta();
    }
}
