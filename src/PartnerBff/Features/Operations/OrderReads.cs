using System.Text.Json.Serialization.Metadata;
using Bff.Composition;
using PartnerBff.Upstreams;

namespace PartnerBff.Features.Operations;

/// <summary>Reads orders. The service filters them by the tenant in the identity headers and hides those of others (404).</summary>
internal static class OrderReads
{
    public static Task<Composed<Page<T>>> List<T>(
        HttpContext context,
        Composer composer,
        IOrders orders,
        Func<Order, T> shape,
        JsonTypeInfo<Page<T>> type
    ) => Lists.Page(context, "orders", composer, orders.List, page => page.Items.Select(shape), page => page.NextCursor, type);

    public static async Task<Composed<T>> Get<T>(string id, Composer composer, IOrders orders, Func<Order, T> shape, JsonTypeInfo<T> type)
    {
        var order = composer.Required("order", orders.Get(id));
        return (await composer.Compose(() => shape(order.Value), type)).WithoutMeta();
    }
}
