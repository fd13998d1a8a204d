using System.Text.Json.Serialization.Metadata;
using Bff.Composition;
using Bff.Edge;
using Bff.Idempotency;
using Bff.Upstreams;
using PartnerBff.Upstreams;

namespace PartnerBff.Features.Operations;

/// <summary>Writes go to the service once, or again under the partner's own key.</summary>
internal static class OrderWrites
{
    private const int LongestMilliseconds = 60_000; // The request's deadline is the smaller one.

    public static async Task<IResult> Place<T>(
        HttpContext context, Composer composer, IOrders orders, Func<Order, T> shape, JsonTypeInfo<T> type)
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
        var order = composer.Required("order", orders.Place(request.ToUpstream(), key)).Timeout(LongestMilliseconds);
        if (await composer.Run() is not null)
        {
            return order.Answer.ToWriteProblem("order");
        }

        context.Response.Headers.Location = PublicUrl.Of(context) + context.Request.Path + "/" + Uri.EscapeDataString(order.Value!.Id);
        return TypedResults.Json(shape(order.Value), type, statusCode: StatusCodes.Status201Created);
    }

    public static async Task<IResult> Cancel<T>(
        HttpContext context, string id, Composer composer, IOrders orders, Func<Order, T> shape, JsonTypeInfo<T> type)
    {
        var key = KeyedRequest.Of(context)?.Key;
        var order = composer.Required("order", orders.Cancel(id, key)).Timeout(LongestMilliseconds);
        return await composer.Run() is null ? TypedResults.Json(shape(order.Value!), type) : order.Answer.ToWriteProblem("order");
    }
}
