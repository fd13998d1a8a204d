using System.Text.Json.Serialization.Metadata;
using Bff.Composition;
using PartnerBff.Upstreams;

namespace PartnerBff.Features.Operations;

/// <summary>Orders are the tenant's: the service filters by the identity headers and hides everybody else's (404).</summary>
internal static class OrderReads
{
    public static async Task<Composed<Page<T>>> List<T>(
        HttpContext context, Composer composer, OrdersClient orders, Func<Order, T> shape, JsonTypeInfo<Page<T>> type)
    {
        var limit = 20;
        string? cursor = context.Request.Query["cursor"];
        var page = composer.Required("orders", t => orders.List(limit, cursor, t));
        var answer = await composer.Compose(
            () => new Page<T>([.. page.Value!.Items.Select(shape)], page.Value.NextCursor is not null, page.Value.NextCursor), type);
        return answer.WithoutMeta();
    }

    public static async Task<Composed<T>> Get<T>(string id, Composer composer, OrdersClient orders, Func<Order, T> shape, JsonTypeInfo<T> type)
    {
        var order = composer.Required("order", t => orders.Get(id, t));
        return (await composer.Compose(() => shape(order.Value!), type)).WithoutMeta();
    }
}
